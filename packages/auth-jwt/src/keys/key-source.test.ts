import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type JWTPayload, SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { createJwtVerifier } from '../verifiers.ts';
import type { VerifierSettings } from './key-source.ts';

const secret = 'a secret of thirty-two characters';
const bytesOf = (text: string) => new TextEncoder().encode(text);
const now = () => Math.floor(Date.now() / 1000);
const pemOf = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();

function sign(claims: JWTPayload, { alg = 'HS256', key = bytesOf(secret) }: Signing = {}) {
  return new SignJWT({ exp: now() + 60, ...claims }).setProtectedHeader({ alg }).sign(key);
}

interface Signing {
  readonly alg?: string;
  readonly key?: Uint8Array | KeyObject;
}

async function refusal(token: string, settings: VerifierSettings) {
  return await createJwtVerifier(settings)
    .verify(token)
    .then(
      () => 'accepted',
      ({ code }) => code,
    );
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ed25519 = generateKeyPairSync('ed25519');
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });

describe('a verifier accepts', () => {
  test.each([
    ['HS256', 32],
    ['HS384', 48],
    ['HS512', 64],
  ])('a token signed with %s by a secret of %i bytes', async (alg, length) => {
    const text = 'x'.repeat(length);
    const token = await sign({ sub: 'alice' }, { alg, key: bytesOf(text) });
    expect((await createJwtVerifier({ JWT_SECRET: text }).verify(token)).userId).toBe('alice');
    const base64 = `base64:${Buffer.from(text).toString('base64')}`;
    expect((await createJwtVerifier({ JWT_SECRET: base64 }).verify(token)).userId).toBe('alice');
    const chosen = { JWT_SECRET: text, JWT_ALGORITHMS: 'HS256' };
    if (alg === 'HS256') return;
    expect(await refusal(token, chosen)).toBe('token_algorithm_not_allowed');
  });

  test('a token of HS512 by a shorter secret where JWT_ALGORITHMS names it', async () => {
    const token = await sign({ sub: 'alice' }, { alg: 'HS512' });
    const settings = { JWT_SECRET: secret, JWT_ALGORITHMS: 'HS512' };
    expect((await createJwtVerifier(settings).verify(token)).userId).toBe('alice');
  });

  test('tokens of the present secret and of the next one, and of no third', async () => {
    const next = 'the next secret of thirty-two chars';
    const settings = { JWT_SECRET: secret, JWT_SECRET_NEXT: next };
    const verifier = createJwtVerifier(settings);
    for (const key of [secret, next]) {
      const token = await sign({ sub: 'alice' }, { key: bytesOf(key) });
      expect((await verifier.verify(token)).userId).toBe('alice');
    }
    const key = bytesOf('a third secret of thirty-two characters');
    expect(await refusal(await sign({}, { key }), settings)).toBe('token_signature_invalid');
    const expired = await sign({ exp: now() - 60 }, { key: bytesOf(next) });
    expect(await refusal(expired, settings)).toBe('token_expired');
  });

  test('tokens of each of several public keys, of one type or of several', async () => {
    const other = generateKeyPairSync('ed25519');
    const settings = {
      JWT_PUBLIC_KEY: [ed25519, other, p256].map(({ publicKey }) => pemOf(publicKey)).join(''),
    };
    for (const [alg, { privateKey: key }] of [
      ['EdDSA', ed25519],
      ['EdDSA', other],
      ['ES256', p256],
    ] as const) {
      const token = await sign({ sub: 'alice' }, { alg, key });
      expect((await createJwtVerifier(settings).verify(token)).userId).toBe('alice');
    }
    const stranger = await sign(
      {},
      { alg: 'EdDSA', key: generateKeyPairSync('ed25519').privateKey },
    );
    expect(await refusal(stranger, settings)).toBe('token_signature_invalid');
    const rsaToken = await sign({}, { alg: 'RS256', key: rsa.privateKey });
    expect(await refusal(rsaToken, settings)).toBe('token_algorithm_not_allowed');
  });
});
