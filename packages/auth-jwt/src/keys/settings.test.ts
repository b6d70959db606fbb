import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readConfig } from '@leque/service';
import { expect, test } from 'vitest';
import { AuthSettings, authRule } from './settings.ts';

const secret = 'a secret of thirty-two characters';
const DEFAULTS = {
  JWT_CLOCK_TOLERANCE: 5,
  JWT_PROJECTS_CLAIM: 'projects',
  JWT_SCOPE_CLAIM: 'scope',
};
const read = (env: Record<string, string>) => readConfig(AuthSettings, env, [authRule]);

function pemOf(key: KeyObject): string {
  return key.export({ type: key.type === 'public' ? 'spki' : 'pkcs8', format: 'pem' }).toString();
}

const ed25519 = generateKeyPairSync('ed25519');
const publicPem = pemOf(ed25519.publicKey);
const privatePem = pemOf(ed25519.privateKey);
const shortRsa = pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey);
const x25519 = pemOf(generateKeyPairSync('x25519').publicKey);
const koblitz = pemOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey);

test('a secret is enough, and tokens are required by default', () => {
  expect(read({ JWT_SECRET: secret })).toEqual({
    AUTH_MODE: 'required',
    JWT_SECRET: secret,
    ...DEFAULTS,
  });
});

test('open mode needs no key', () => {
  expect(read({ AUTH_MODE: 'open' })).toEqual({ AUTH_MODE: 'open', ...DEFAULTS });
});

const anySource = 'JWT_SECRET, JWT_PUBLIC_KEY or JWKS_URL';

test.each<[problem: string, env: Record<string, string>]>([
  [`AUTH_MODE=required needs ${anySource}`, {}],
  [
    `NODE_ENV=production needs ${anySource}, whatever AUTH_MODE says`,
    { AUTH_MODE: 'open', NODE_ENV: 'production' },
  ],
  ['AUTH_MODE must be one of required, open', { AUTH_MODE: 'maybe', JWT_SECRET: secret }],
  [
    'JWT_SECRET and JWKS_URL exclude each other; set one of them',
    { JWT_SECRET: secret, JWKS_URL: 'https://id.test/keys' },
  ],
  [
    'NODE_ENV=production needs a JWT_SECRET of at least 32 characters',
    { JWT_SECRET: 'short', NODE_ENV: 'production' },
  ],
  ['JWT_SECRET has no base64 text after "base64:"', { JWT_SECRET: `base64:${secret}` }],
  [
    'AUTH_MODE=required needs a JWT_SECRET of at least 32 characters',
    { JWT_SECRET: `base64:${Buffer.alloc(31, secret).toString('base64')}` },
  ],
  [
    'AUTH_MODE=required needs a JWT_SECRET_NEXT of at least 32 characters',
    { JWT_SECRET: secret, JWT_SECRET_NEXT: 'short' },
  ],
  [
    'JWT_SECRET_NEXT is accepted beside JWT_SECRET only; set JWT_SECRET',
    { JWT_SECRET_NEXT: secret, JWT_PUBLIC_KEY: publicPem },
  ],
  [
    'JWT_ALGORITHMS: RS256 cannot be used with the configured key; use some of HS256, HS384, HS512',
    { JWT_SECRET: secret, JWT_ALGORITHMS: 'HS256,RS256' },
  ],
  [
    'JWT_ALGORITHMS: HS256, none cannot be used with the configured key; use some of RS256',
    { JWKS_URL: 'https://id.test/keys', JWT_ALGORITHMS: 'RS256 HS256 none' },
  ],
  [
    'JWT_ALGORITHMS: RS256 cannot be used with the configured key; use some of EdDSA, Ed25519',
    { JWT_PUBLIC_KEY: publicPem, JWT_ALGORITHMS: 'RS256' },
  ],
  ['JWT_PUBLIC_KEY has fewer than 2048 bits', { JWT_PUBLIC_KEY: publicPem + shortRsa }],
  ['JWT_PUBLIC_KEY holds a private key', { JWT_PUBLIC_KEY: publicPem + privatePem }],
  ['JWKS_URL must be an http or https URL', { JWKS_URL: 'ftp://id.test' }],
  ['JWKS_URL must be an http or https URL', { JWKS_URL: 'https://[' }],
  ['JWT_PUBLIC_KEY is not a public key in PEM format', { JWT_PUBLIC_KEY: 'a key' }],
  ['JWT_PUBLIC_KEY holds a private key; give the public one', { JWT_PUBLIC_KEY: privatePem }],
  ['JWT_PUBLIC_KEY has fewer than 2048 bits', { JWT_PUBLIC_KEY: shortRsa }],
  ['JWT_PUBLIC_KEY is of type x25519', { JWT_PUBLIC_KEY: x25519 }],
  ['JWT_PUBLIC_KEY is on the curve secp256k1', { JWT_PUBLIC_KEY: koblitz }],
])('refused: %s', (problem, env) => {
  expect(() => read(env)).toThrow(problem);
});

test('all problems are reported at once', () => {
  const env = { AUTH_MODE: 'maybe', JWT_SECRET: 'short', JWT_PUBLIC_KEY: 'a key' };
  expect(() => read(env)).toThrow(/AUTH_MODE.*JWT_SECRET.*exclude.*JWT_PUBLIC_KEY/s);
});

test('a public key may have its line breaks escaped', () => {
  const escaped = publicPem.replaceAll('\n', '\\n');
  expect(read({ JWT_PUBLIC_KEY: escaped }).JWT_PUBLIC_KEY).toBe(escaped);
});
