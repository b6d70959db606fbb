import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type RoomGrant, systemClock } from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import { type JWTPayload, SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import type { VerifierSettings } from '../keys/key-source.ts';
import { signToken } from '../tokens/sign-token.ts';
import { createVerifiers } from '../verifiers.ts';
import { createGrantSigner } from './sign-grant.ts';

const secret = 'a secret of thirty-two characters';
const next = 'the next secret of thirty-two chars';
const own = 'a secret of thirty-two bytes for grants';
const bytesOf = (text: string) => new TextEncoder().encode(text);
const now = () => Math.floor(Date.now() / 1000);
const inAMinute = () => now() + 60;
const ed25519 = generateKeyPairSync('ed25519');
const pem = ed25519.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const ID = 'a text of 1 to 256 bytes in UTF-8 without control characters, or a whole number';

interface Signing {
  readonly alg?: string;
  readonly key?: Uint8Array | KeyObject;
}

/** A grant as an application signs it, with the key of its tokens. */
function grant(claims: object = {}, { alg = 'HS256', key = bytesOf(secret) }: Signing = {}) {
  const all = { use: 'grant', sub: 'alice', projects: ['P'], exp: inAMinute(), ...claims };
  return new SignJWT(all as JWTPayload).setProtectedHeader({ alg }).sign(key);
}

function signed(settings: VerifierSettings, what: Partial<RoomGrant> = {}): Promise<string> {
  const signer = createGrantSigner(settings);
  if (signer === undefined) throw new Error('no key to sign with');
  const expiresAt = inAMinute() * 1000;
  return signer.sign({ userId: 'alice', projects: ['P'], expiresAt, ...what });
}

async function outcome(text: string, settings: VerifierSettings = { JWT_SECRET: secret }) {
  const { grants } = createVerifiers(settings);
  return await grants.verify(text).then(
    () => 'accepted',
    (error: unknown) => {
      if (error instanceof ProtocolError) return [error.code, error.message];
      throw error;
    },
  );
}

describe('[GR1] a grant is accepted', () => {
  test('[GR1.1] with its user, its projects and its end', async () => {
    const exp = inAMinute();
    const { grants } = createVerifiers({ JWT_SECRET: secret });
    expect(await grants.verify(await grant({ projects: ['P', 42], exp }))).toEqual({
      userId: 'alice',
      projects: ['P', '42'],
      expiresAt: exp * 1000,
      notBefore: undefined,
    });
    const nbf = now() - 10;
    const { notBefore } = await grants.verify(await grant({ nbf }));
    expect(notBefore).toBe(nbf * 1000);
  });

  test.each<[string, VerifierSettings]>([
    ['JWT_SECRET', { JWT_SECRET: secret }],
    ['GRANT_SECRET', { GRANT_SECRET: own, JWT_SECRET: secret }],
    ['GRANT_SECRET beside a public key', { GRANT_SECRET: own, JWT_PUBLIC_KEY: pem }],
    ['GRANT_SECRET alone', { GRANT_SECRET: own }],
    [
      'a required issuer and audience',
      { JWT_SECRET: secret, JWT_ISSUER: 'https://id.test', JWT_AUDIENCE: 'leque' },
    ],
    ['other names of claims', { JWT_SECRET: secret, JWT_USER_CLAIM: 'a', JWT_PROJECTS_CLAIM: 'b' }],
    ['algorithms of its tokens', { JWT_SECRET: secret, JWT_ALGORITHMS: 'HS512' }],
  ])('[GR1.3] that Leque has signed with %s', async (_, settings) => {
    const text = await signed(settings);
    expect(await outcome(text, settings)).toBe('accepted');
    const foreign = { ...settings, JWT_SECRET: next, GRANT_SECRET: next };
    expect(await outcome(await signed({ GRANT_SECRET: 'x'.repeat(32) }), foreign)).toEqual([
      'grant_invalid',
      'grant: signature does not match',
    ]);
  });

  test.each<[string, VerifierSettings, Signing]>([
    ['GRANT_SECRET', { GRANT_SECRET: own, JWT_PUBLIC_KEY: pem }, { key: bytesOf(own) }],
    ['the secret of tokens', { JWT_SECRET: secret, GRANT_SECRET: own }, { key: bytesOf(secret) }],
    [
      'the next secret of tokens',
      { JWT_SECRET: secret, JWT_SECRET_NEXT: next },
      { key: bytesOf(next) },
    ],
    [
      'the private key of tokens',
      { JWT_PUBLIC_KEY: pem, GRANT_SECRET: own },
      { alg: 'EdDSA', key: ed25519.privateKey },
    ],
  ])('[GR1.3] that an application has signed with %s', async (_, settings, signing) => {
    expect(await outcome(await grant({}, signing), settings)).toBe('accepted');
  });

  test.each<[string, VerifierSettings, VerifierSettings]>([
    [
      'JWT_SECRET is exchanged',
      { JWT_SECRET: secret },
      { JWT_SECRET: next, JWT_SECRET_NEXT: secret },
    ],
    ['JWT_SECRET will be', { JWT_SECRET: next }, { JWT_SECRET: secret, JWT_SECRET_NEXT: next }],
    ['GRANT_SECRET is', { GRANT_SECRET: own }, { GRANT_SECRET: next, GRANT_SECRET_NEXT: own }],
    [
      'GRANT_SECRET is introduced',
      { JWT_SECRET: secret },
      { JWT_SECRET: secret, GRANT_SECRET: own },
    ],
    ['GRANT_SECRET will be', { GRANT_SECRET: own }, { JWT_SECRET: secret, GRANT_SECRET_NEXT: own }],
  ])('while %s', async (_, signer, verifier) => {
    expect(await outcome(await signed(signer), verifier)).toBe('accepted');
  });

  test('at once when it was verified before, until it ends', async () => {
    let at = Date.now();
    const clock = { ...systemClock, now: () => at };
    const { grants } = createVerifiers({ JWT_SECRET: secret }, clock);
    const text = await grant({ exp: now() + 600 });
    expect(grants.recall?.(text)).toBeUndefined();
    const verified = await grants.verify(text);
    at += 590_000;
    expect(grants.recall?.(text)).toBe(verified);
    expect(await grants.verify(text)).toBe(verified);
    at += 10_000;
    expect(grants.recall?.(text)).toBeUndefined();
    await expect(grants.verify(text)).rejects.toMatchObject({ code: 'grant_expired' });
  });
});

describe('[ISO] [GR1.4] a grant is refused', () => {
  const tokenLike = { scope: 'admin', projects: ['P'] };

  test.each<[object, string]>([
    [{ use: undefined }, 'claim use must be "grant"; a token is no grant'],
    [{ use: undefined, ...tokenLike }, 'claim use must be "grant"; a token is no grant'],
    [{ use: 'Grant' }, 'claim use must be "grant"; a token is no grant'],
    [{ use: ['grant'] }, 'claim use must be "grant"; a token is no grant'],
    [{ sub: undefined }, `claim sub must be the user: ${ID}`],
    [{ sub: undefined, userId: 'alice' }, `claim sub must be the user: ${ID}`],
    [{ sub: '*' }, `claim sub must be the user: ${ID}`],
    [{ sub: '' }, `claim sub must be the user: ${ID}`],
    [{ projects: undefined }, 'claim projects must be a list of 1 to 512 project ids'],
    [{ projects: [] }, 'claim projects must be a list of 1 to 512 project ids'],
    [{ projects: 'P' }, 'claim projects must be a list of 1 to 512 project ids'],
    [{ projects: { 0: 'P', length: 1 } }, 'claim projects must be a list of 1 to 512 project ids'],
    [{ projects: ['*'] }, `claim projects[0] must be ${ID}; "*" is none`],
    [{ projects: ['P', '*'] }, `claim projects[1] must be ${ID}; "*" is none`],
    [{ projects: ['P', ['Q']] }, `claim projects[1] must be ${ID}; "*" is none`],
    [
      { projects: Array.from({ length: 513 }, (_, n) => `P${n}`) },
      'claim projects must be a list of 1 to 512 project ids',
    ],
    [{ exp: undefined }, 'claim exp is required'],
    [{ exp: 9e15 }, 'claim exp is out of range'],
    [{ nbf: now() + 3_600 }, 'claim nbf says that the grant is not valid yet'],
  ])('[GR1.1] with the claims %j', async (claims, problem) => {
    expect(await outcome(await grant(claims))).toEqual(['grant_invalid', `grant: ${problem}`]);
  });

  test('after its end', async () => {
    for (const seconds of [10, 1]) {
      const text = await grant({ exp: now() - seconds });
      expect(await outcome(text)).toEqual(['grant_expired', 'grant has expired']);
    }
  });

  test('of another issuer or for another audience', async () => {
    const settings = { JWT_SECRET: secret, JWT_ISSUER: 'https://id.test', JWT_AUDIENCE: 'leque' };
    const good = { iss: 'https://id.test', aud: 'leque' };
    expect(await outcome(await grant(good), settings)).toBe('accepted');
    for (const [claims, problem] of [
      [{ ...good, iss: 'x' }, 'claim iss has another value than this server expects: "x"'],
      [{ ...good, aud: 'x' }, 'claim aud has another value than this server expects: "x"'],
      [{ iss: good.iss }, 'claim aud is required'],
    ] as const) {
      expect(await outcome(await grant(claims), settings)).toEqual([
        'grant_invalid',
        `grant: ${problem}`,
      ]);
    }
  });

  test.each<[string, () => Promise<string> | string, string]>([
    ['with another key', () => grant({}, { key: bytesOf(next) }), 'signature does not match'],
    [
      'with another algorithm',
      () => grant({}, { alg: 'HS512', key: new Uint8Array(64) }),
      'algorithm "HS512" is not allowed; allowed: HS256',
    ],
    [
      'without a signature',
      () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`,
      'algorithm "none" is not allowed; allowed: HS256',
    ],
    ['that is no JWT', () => 'a.b.c', 'not a JSON Web Token'],
  ])('%s', async (_, make, problem) => {
    expect(await outcome(await make())).toEqual(['grant_invalid', `grant: ${problem}`]);
  });

  test('that is too long', async () => {
    expect(await outcome('a'.repeat(16_385))).toEqual([
      'grant_invalid',
      'grant is longer than 16384 characters',
    ]);
  });

  test('signed with HS256 and the public key of tokens as its secret', async () => {
    const text = await grant({}, { key: bytesOf(pem) });
    for (const settings of [{ JWT_PUBLIC_KEY: pem }, { JWT_PUBLIC_KEY: pem, GRANT_SECRET: own }]) {
      const [code] = await outcome(text, settings);
      expect(code).toBe('grant_invalid');
    }
  });

  test('everywhere, where no key is configured', async () => {
    const [code, message] = await outcome(await grant(), {});
    expect(code).toBe('grant_invalid');
    expect(message).toContain('GRANT_SECRET, JWT_SECRET, JWT_PUBLIC_KEY, JWKS_URL');
  });

  test('when a character of it is changed, each time for a reason', async () => {
    const { grants } = createVerifiers({ JWT_SECRET: secret });
    const good = await signed({ JWT_SECRET: secret });
    const mutants = Array.from({ length: 1_000 }, (_, seed) => {
      const at = (seed * 7_919) % good.length;
      return `${good.slice(0, at)}${String.fromCharCode((seed * 104_729) % 256)}${good.slice(at + 1)}`;
    });
    for (const [at, settled] of (
      await Promise.allSettled(mutants.map((each) => grants.verify(each)))
    ).entries()) {
      if (settled.status === 'fulfilled') {
        expect(settled.value.projects, mutants[at]).toEqual(['P']);
        continue;
      }
      expect(settled.reason.code, mutants[at]).toMatch(/^grant_/);
    }
  });
});

describe('[ISO] [GR1.2] a grant is no token', () => {
  const settings = { JWT_SECRET: secret, GRANT_SECRET: own };
  const refusal = {
    code: 'token_claim_invalid',
    message: 'claim use says that this is a grant, which comes with a subscription',
  };

  test.each<[string, () => Promise<string>]>([
    ['with the key of tokens', () => grant()],
    ['with every claim of a token', () => grant({ scope: 'admin', projects: ['*'] })],
    ['with a misspelt use', () => grant({ use: 'Grants' })],
    ['with a list of uses', () => grant({ use: ['grant'] })],
    ['with a key of its own', () => signed(settings)],
    ['with the derived key', () => signed({ JWT_SECRET: secret })],
  ])('when it is signed %s', async (_, make) => {
    const text = await make();
    await expect(createVerifiers(settings).tokens.verify(text)).rejects.toMatchObject(refusal);
  });

  test('and a token may have another use', async () => {
    const token = await grant({ use: 'access' });
    expect((await createVerifiers(settings).tokens.verify(token)).userId).toBe('alice');
  });

  test('and a token is no grant, whatever it covers', async () => {
    const token = await signToken({
      secret,
      userId: 'alice',
      projects: ['*'],
      scopes: ['admin'],
      expiresInSeconds: 60,
    });
    const { tokens } = createVerifiers(settings);
    await expect(tokens.verify(token)).resolves.toBeDefined();
    expect(await outcome(token, settings)).toEqual([
      'grant_invalid',
      'grant: claim use must be "grant"; a token is no grant',
    ]);
  });

  test('and the key that signs grants signs no token', async () => {
    const forged = await new SignJWT({ sub: 'alice', projects: ['*'], exp: inAMinute() })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(bytesOf(own));
    await expect(createVerifiers(settings).tokens.verify(forged)).rejects.toMatchObject({
      code: 'token_signature_invalid',
    });
  });
});

test('no grant is signed where only public keys are configured', () => {
  const without = [{ JWT_PUBLIC_KEY: pem }, { JWKS_URL: 'https://id.test/keys' }, {}];
  expect(without.map(createGrantSigner)).toEqual([undefined, undefined, undefined]);
});
