import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { systemClock } from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import { type JWTPayload, SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import type { VerifierSettings } from '../keys/key-source.ts';
import { createJwtVerifier } from '../verifiers.ts';
import { signToken } from './sign-token.ts';

const secret = 'a secret of thirty-two characters';
const secretKey = new TextEncoder().encode(secret);
const now = () => Math.floor(Date.now() / 1000);
const inAMinute = () => now() + 60;

interface Signing {
  readonly alg?: string;
  readonly key?: Uint8Array | KeyObject;
}

function sign(claims: JWTPayload, { alg = 'HS256', key = secretKey }: Signing = {}) {
  return new SignJWT({ exp: inAMinute(), ...claims }).setProtectedHeader({ alg }).sign(key);
}

/** Forges a token that breaks the standard. */
function forge(header: object, claims: object, signature = ''): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${signature}`;
}

const pemOf = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();

async function refusal(token: string, settings: VerifierSettings = { JWT_SECRET: secret }) {
  const error: unknown = await createJwtVerifier(settings)
    .verify(token)
    .catch((thrown: unknown) => thrown);
  if (!(error instanceof ProtocolError)) throw new Error(`not refused: ${error}`);
  return { code: error.code, message: error.message };
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ed25519 = generateKeyPairSync('ed25519');
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' });

describe('a verifier accepts', () => {
  test('a token of signToken, and reads its identity and grants', async () => {
    const token = await signToken({
      secret,
      userId: 'alice',
      projects: ['PROJ-001'],
      scopes: ['publish'],
      expiresInSeconds: 60,
    });
    const { userId, grants, expiresAt } = await createJwtVerifier({ JWT_SECRET: secret }).verify(
      token,
    );
    expect(userId).toBe('alice');
    expect(grants.covers('user:alice')).toBe(true);
    expect(grants.projects).toEqual(['PROJ-001']);
    expect(grants.has('publish')).toBe(true);
    expect(grants.has('stats')).toBe(false);
    expect(expiresAt).toBeGreaterThan(Date.now());
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + 60_000);
  });

  test.each([
    ['RS256', rsa],
    ['RS384', rsa],
    ['RS512', rsa],
    ['PS256', rsa],
    ['PS384', rsa],
    ['PS512', rsa],
    ['ES256', p256],
    ['ES384', p384],
    ['ES512', p521],
    ['EdDSA', ed25519],
    ['Ed25519', ed25519],
  ])('a token signed with %s, by a public key of its type', async (alg, pair) => {
    const token = await sign({ sub: 'alice' }, { alg, key: pair.privateKey });
    const verifier = createJwtVerifier({ JWT_PUBLIC_KEY: pemOf(pair.publicKey) });
    expect((await verifier.verify(token)).userId).toBe('alice');
  });

  test('a public key on one line, its line breaks written as \\n', async () => {
    const token = await sign({ sub: 'alice' }, { alg: 'EdDSA', key: ed25519.privateKey });
    const pem = pemOf(ed25519.publicKey).replaceAll('\n', '\\n');
    expect((await createJwtVerifier({ JWT_PUBLIC_KEY: pem }).verify(token)).userId).toBe('alice');
  });

  test('[ISO] a token without projects grants none, one with "*" all', async () => {
    const verifier = createJwtVerifier({ JWT_SECRET: secret });
    const none = await verifier.verify(await sign({ sub: 'alice' }));
    expect(none.grants.coversProject('PROJ-001')).toBe(false);
    const all = await verifier.verify(await sign({ sub: 'alice', projects: ['*'] }));
    expect(all.grants.coversProject('PROJ-001')).toBe(true);
  });

  test('a token at once that was verified before, while it is valid', async () => {
    let at = Date.now();
    const clock = { ...systemClock, now: () => at };
    const verifier = createJwtVerifier({ JWT_SECRET: secret, JWT_CLOCK_TOLERANCE: 0 }, clock);
    const token = await sign({ sub: 'alice', exp: now() + 1 });
    expect(verifier.recall?.(token)).toBeUndefined();
    const identity = await verifier.verify(token);
    expect(verifier.recall?.(token)).toBe(identity);
    at += 2000;
    expect(verifier.recall?.(token)).toBeUndefined();
  });

  test('a token that expired within the clock tolerance', async () => {
    const verifier = createJwtVerifier({ JWT_SECRET: secret });
    await expect(verifier.verify(await sign({ exp: now() - 3 }))).resolves.toBeDefined();
  });
});

describe.each([0, 60])('a clock tolerance of %i seconds', (tolerance) => {
  const verifier = createJwtVerifier({ JWT_SECRET: secret, JWT_CLOCK_TOLERANCE: tolerance });

  test('accepts a token that expired within it', async () => {
    await expect(
      verifier.verify(await sign({ exp: now() - tolerance + 2 })),
    ).resolves.toBeDefined();
  });

  test('refuses a token that expired before it', async () => {
    const verifying = verifier.verify(await sign({ exp: now() - tolerance - 2 }));
    await expect(verifying).rejects.toMatchObject({ code: 'token_expired' });
  });
});

describe('a verifier refuses', () => {
  test.each([
    ['', 'empty'],
    ['abc', 'one part'],
    ['a.b.c', 'no base64url JSON'],
    ['a.b.c.d.e', 'an encrypted token'],
    [forge({ typ: 'JWT' }, {}), 'no algorithm'],
  ])('%j (%s): malformed', async (token) => {
    expect(await refusal(token)).toEqual({
      code: 'token_malformed',
      message: 'not a JSON Web Token',
    });
  });

  test('a token that is too long', async () => {
    expect(await refusal('a'.repeat(16_385))).toEqual({
      code: 'token_malformed',
      message: 'token is longer than 16384 characters',
    });
  });

  test('an expired token', async () => {
    expect(await refusal(await sign({ exp: now() - 10 }))).toEqual({
      code: 'token_expired',
      message: 'token has expired',
    });
  });

  test('a token that it accepted before, once that has expired', async () => {
    const expiresAt = 1_700_000_000_000;
    let time = expiresAt + 4_999;
    const verifier = createJwtVerifier({ JWT_SECRET: secret }, { ...systemClock, now: () => time });
    const token = await sign({ sub: 'alice', exp: expiresAt / 1000 });
    const identity = await verifier.verify(token);
    expect(await verifier.verify(token)).toBe(identity);
    time += 1;
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'token_expired' });
  });

  test('a wrongly signed token', async () => {
    const key = new TextEncoder().encode('another secret of thirty-two chars');
    expect(await refusal(await sign({ sub: 'alice' }, { key }))).toEqual({
      code: 'token_signature_invalid',
      message: 'signature does not match',
    });
  });

  test('a token whose claims were changed after it was signed', async () => {
    const [header, , signature] = (await sign({ sub: 'alice' })).split('.');
    const claims = Buffer.from(JSON.stringify({ sub: 'bob', exp: inAMinute() }));
    const { code } = await refusal(`${header}.${claims.toString('base64url')}.${signature}`);
    expect(code).toBe('token_signature_invalid');
  });

  test.each(['none', 'None', 'NONE'])('a token with the algorithm %s', async (alg) => {
    expect(await refusal(forge({ alg }, { sub: 'alice', exp: inAMinute() }))).toEqual({
      code: 'token_algorithm_not_allowed',
      message: `algorithm "${alg}" is not allowed; allowed: HS256`,
    });
  });

  test('a token signed with HS256 and the public key as its secret', async () => {
    const pem = pemOf(rsa.publicKey);
    const token = await sign({ sub: 'alice' }, { key: new TextEncoder().encode(pem) });
    expect(await refusal(token, { JWT_PUBLIC_KEY: pem })).toEqual({
      code: 'token_algorithm_not_allowed',
      message:
        'algorithm "HS256" is not allowed; allowed: RS256, RS384, RS512, PS256, PS384, PS512',
    });
  });

  test('a token signed with another HMAC than the configured one', async () => {
    const token = await sign({}, { alg: 'HS512', key: new Uint8Array(64) });
    expect((await refusal(token)).message).toBe('algorithm "HS512" is not allowed; allowed: HS256');
  });

  test('a token for another curve than the key is on', async () => {
    const token = await sign({}, { alg: 'ES384', key: p384.privateKey });
    expect(await refusal(token, { JWT_PUBLIC_KEY: pemOf(p256.publicKey) })).toEqual({
      code: 'token_algorithm_not_allowed',
      message: 'algorithm "ES384" is not allowed; allowed: ES256',
    });
  });

  test('a token with a foreign algorithm, which it quotes only in part', async () => {
    const { message } = await refusal(forge({ alg: `"\n${'x'.repeat(5_000)}` }, {}));
    expect(message).toMatch(/^algorithm "\\"\\nx{30}" is not allowed/);
  });

  test.each([
    [{ exp: undefined }, 'claim exp is required'],
    [{ exp: 'tomorrow' }, 'claim exp has the wrong type'],
    [{ nbf: now() + 3_600 }, 'claim nbf says that the token is not valid yet'],
    [{ sub: 'alice', userId: 'bob' }, 'claim userId differs from sub; give one of them'],
    [
      { sub: 'a\nb' },
      'claim sub must be a text of 1 to 256 bytes in UTF-8 without control characters, or a whole number',
    ],
    [
      { userId: {} },
      'claim userId must be a text of 1 to 256 bytes in UTF-8 without control characters, or a whole number',
    ],
    [
      { sub: '' },
      'claim sub must be a text of 1 to 256 bytes in UTF-8 without control characters, or a whole number',
    ],
    [
      { projects: { P: 1 } },
      'claim projects must be a list of project ids, or ["*"] for all of them',
    ],
    [
      { projects: ['P', 7, ''] },
      'claim projects[2] must be a text of 1 to 256 bytes in UTF-8 without control characters, or a whole number, or "*" for all projects',
    ],
    [{ scope: 7 }, 'claim scope must be a list of words, or words with blanks between them'],
  ])('the claims %j', async (claims, message) => {
    const token = await sign(claims as JWTPayload);
    expect(await refusal(token)).toEqual({ code: 'token_claim_invalid', message });
  });

  test('another issuer or audience than the configured ones', async () => {
    const settings = { JWT_SECRET: secret, JWT_ISSUER: 'https://id.test', JWT_AUDIENCE: 'leque' };
    const expected = 'has another value than this server expects';
    const refused = async (claims: JWTPayload) => refusal(await sign(claims), settings);
    const good = { iss: 'https://id.test', aud: ['leque', 'other'] };
    await expect(createJwtVerifier(settings).verify(await sign(good))).resolves.toBeDefined();
    expect((await refused({ ...good, iss: 'x' })).message).toBe(`claim iss ${expected}: "x"`);
    expect((await refused({ ...good, aud: 'x' })).message).toBe(`claim aud ${expected}: "x"`);
    expect((await refused({ iss: good.iss })).message).toBe('claim aud is required');
  });

  test('every token, where no key is configured: what is presented is always verified', async () => {
    const { code, message } = await refusal(await sign({ sub: 'alice' }), {});
    expect(code).toBe('token_signature_invalid');
    expect(message).toContain('JWT_SECRET, JWT_PUBLIC_KEY, JWKS_URL');
  });

  test('thousands of mutations of a good token: each for a reason, none as a failure', async () => {
    const verifier = createJwtVerifier({ JWT_SECRET: secret });
    const good = await sign({ sub: 'alice' });
    const mutants = Array.from({ length: 2_000 }, (_, seed) => mutate(good, seed));
    const outcomes = await Promise.allSettled(mutants.map((token) => verifier.verify(token)));
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === 'fulfilled') continue;
      expect(outcome.reason.code, `seed ${index}: ${mutants[index]}`).toMatch(/^token_/);
    }
  });
});

/** Replaces one character of the token by another one, both chosen by the seed. */
function mutate(token: string, seed: number): string {
  const at = (seed * 7_919) % token.length;
  return `${token.slice(0, at)}${String.fromCharCode((seed * 104_729) % 256)}${token.slice(at + 1)}`;
}
