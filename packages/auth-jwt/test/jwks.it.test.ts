import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, systemClock } from '@leque/core';
import { type JSONWebKeySet, type JWTPayload, SignJWT } from 'jose';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createJwtVerifier, createVerifiers } from '../src/index.ts';

// jose tells the age of a key set by Date; only that is made to jump, the sockets keep real time.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const later = (ms: number) => vi.setSystemTime(Date.now() + ms);
const clock: Clock = { ...systemClock, now: () => Date.now() };

class Signer {
  readonly #pair = generateKeyPairSync('ed25519');
  readonly kid: string | undefined;

  constructor(kid?: string) {
    this.kid = kid;
  }

  get jwk() {
    return { ...this.#pair.publicKey.export({ format: 'jwk' }), kid: this.kid };
  }

  sign(userId: string, claims: JWTPayload = {}): Promise<string> {
    const header = { alg: 'EdDSA', ...(this.kid !== undefined && { kid: this.kid }) };
    return new SignJWT({ sub: userId, exp: Math.floor(Date.now() / 1000) + 36_000, ...claims })
      .setProtectedHeader(header)
      .sign(this.#pair.privateKey);
  }
}

/** A server of keys whose set can be changed, and which can be told to fail. */
async function startKeyServer(...signers: Signer[]) {
  const state = { signers, status: 200, requests: 0 };
  const server = createServer((_, response) => {
    state.requests += 1;
    const keys = { keys: state.signers.map(({ jwk }) => jwk) } as JSONWebKeySet;
    if (state.status !== 0) response.writeHead(state.status).end(JSON.stringify(keys));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    state,
    url: `http://127.0.0.1:${port}/keys`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

test('the key set is fetched once for many tokens', async () => {
  const signer = new Signer('one');
  await using keys = await startKeyServer(signer);
  const verifier = createJwtVerifier({ JWKS_URL: keys.url }, clock);
  for (const user of ['alice', 'bob']) {
    expect((await verifier.verify(await signer.sign(user))).userId).toBe(user);
  }
  expect(keys.state.requests).toBe(1);
});

test('keys rotate without a restart', async () => {
  const [old, fresh] = [new Signer('old'), new Signer('new')];
  await using keys = await startKeyServer(old);
  const verifier = createJwtVerifier({ JWKS_URL: keys.url }, clock);
  await verifier.verify(await old.sign('alice'));
  keys.state.signers = [fresh];
  later(6_000);
  expect((await verifier.verify(await fresh.sign('alice'))).userId).toBe('alice');
  await expect(verifier.verify(await old.sign('alice'))).rejects.toMatchObject({
    code: 'token_signature_invalid',
    message: 'signed with an unknown key',
  });
});

test('tokens with unknown keys do not make the set be fetched again and again', async () => {
  const stranger = new Signer('stranger');
  await using keys = await startKeyServer(new Signer('one'));
  const verifier = createJwtVerifier({ JWKS_URL: keys.url }, clock);
  const token = await stranger.sign('mallory');
  for (let attempt = 0; attempt < 5; attempt += 1) {
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'token_signature_invalid' });
  }
  expect(keys.state.requests).toBe(1);
});

test('[GR1.3] a remembered grant does not outlive its key, although nobody verifies another', async () => {
  const [kept, removed] = [new Signer('kept'), new Signer('removed')];
  await using keys = await startKeyServer(kept, removed);
  const { grants } = createVerifiers({ JWKS_URL: keys.url }, clock);
  const grant = await removed.sign('alice', { use: 'grant', projects: ['P'] });
  await grants.verify(grant);
  expect(await grants.verify(grant)).toBe(grants.recall?.(grant));
  keys.state.signers = [kept];
  later(6 * 60_000);
  await expect.poll(() => grants.recall?.(grant)).toBeUndefined();
  await expect(grants.verify(grant)).rejects.toMatchObject({ code: 'grant_invalid' });
});

test('a key that was taken out of the set is no longer trusted after the next refresh', async () => {
  const [kept, removed] = [new Signer('kept'), new Signer('removed')];
  await using keys = await startKeyServer(kept, removed);
  const verifier = createJwtVerifier({ JWKS_URL: keys.url }, clock);
  const token = await removed.sign('alice');
  await verifier.verify(token);
  keys.state.signers = [kept];
  later(6 * 60_000);
  await expect
    .poll(() => verifier.verify(token).catch(({ code }) => code))
    .toBe('token_signature_invalid');
});

test('known keys stay in use while the server of the keys is away', async () => {
  const signer = new Signer('one');
  await using keys = await startKeyServer(signer);
  const verifier = createJwtVerifier({ JWKS_URL: keys.url }, clock);
  await verifier.verify(await signer.sign('alice'));
  keys.state.status = 500;
  later(6 * 60_000);
  const token = await signer.sign('alice');
  await expect.poll(() => verifier.verify(token).then(() => keys.state.requests)).toBe(2);
  expect((await verifier.verify(token)).userId).toBe('alice');
});

test('a token without the id of its key is tried with each of them', async () => {
  const [one, two] = [new Signer(), new Signer()];
  await using keys = await startKeyServer(one, two);
  const verifier = createJwtVerifier({ JWKS_URL: keys.url }, clock);
  expect((await verifier.verify(await two.sign('alice'))).userId).toBe('alice');
  await expect(verifier.verify(await new Signer().sign('mallory'))).rejects.toMatchObject({
    code: 'token_signature_invalid',
  });
});

test('a symmetric algorithm is refused with a key set', async () => {
  await using keys = await startKeyServer(new Signer('one'));
  const token = await new SignJWT({ sub: 'alice', exp: Math.floor(Date.now() / 1000) + 60 })
    .setProtectedHeader({ alg: 'HS256', kid: 'one' })
    .sign(new Uint8Array(32));
  const verifier = createJwtVerifier({ JWKS_URL: keys.url }, clock);
  await expect(verifier.verify(token)).rejects.toMatchObject({
    code: 'token_algorithm_not_allowed',
  });
});

test.each([
  ['answers 500', 500],
  ['does not answer', 0],
])('a server of keys that %s: unavailable, not a bad token', async (_, status) => {
  const signer = new Signer('one');
  await using keys = await startKeyServer(signer);
  keys.state.status = status;
  const verifier = createJwtVerifier({ JWKS_URL: keys.url }, clock);
  await expect(verifier.verify(await signer.sign('alice'))).rejects.toMatchObject({
    code: 'unavailable',
  });
});
