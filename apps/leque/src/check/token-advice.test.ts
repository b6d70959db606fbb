import { expect, test } from 'vitest';
import { adviseOnTokens } from './token-advice.ts';

const https = 'https://id.test/keys';

test.each([
  [{}, []],
  [{ JWT_SECRET: 'x' }, ['JWT_SECRET is a key of 1 byte:']],
  [{ GRANT_SECRET: 'xx' }, ['GRANT_SECRET is a key of 2 bytes:']],
  [{ JWT_SECRET: `base64:${'A'.repeat(28)}` }, ['JWT_SECRET is a key of 21 bytes:']],
  [{ JWT_SECRET: `base64:${'A'.repeat(43)}` }, []],
  [{ JWT_SECRET: 'é'.repeat(16) }, []],
  [{ JWT_SECRET: 'x'.repeat(32), JWT_SECRET_NEXT: 'y' }, ['JWT_SECRET_NEXT is a key of 1 byte:']],
  [{ JWT_SECRET: 'x'.repeat(32) }, []],
  [{ JWKS_URL: https, JWT_ISSUER: 'https://id.test' }, []],
  [{ JWKS_URL: https, JWT_AUDIENCE: 'leque' }, []],
  [{ JWKS_URL: https }, ['JWT_ISSUER nor JWT_AUDIENCE']],
  [{ JWKS_URL: https, JWT_ISSUER: '' }, ['JWT_ISSUER nor JWT_AUDIENCE']],
  [{ JWKS_URL: 'http://id.test/keys', JWT_AUDIENCE: 'leque' }, ['not https']],
  [{ JWKS_URL: 'http://id.test/keys' }, ['JWT_ISSUER nor JWT_AUDIENCE', 'not https']],
  [{ JWKS_URL: 'http://127.0.0.1:9000/keys', JWT_ISSUER: 'x' }, []],
  [{ JWKS_URL: 'http://[::1]:9000/keys', JWT_ISSUER: 'x' }, []],
  [{ JWKS_URL: 'http://localhost.evil.test/keys', JWT_ISSUER: 'x' }, ['not https']],
  [{ JWKS_URL: 'no url' }, []],
])('the advice on %j has %j', (config, parts) => {
  expect(adviseOnTokens(config)).toEqual(parts.map((part) => expect.stringContaining(part)));
});
