import { createPublicKey, sign } from 'node:crypto';
import { createJwtVerifier } from '@leque/auth-jwt';
import { expect, test } from 'vitest';
import { makeKeys } from './keys.ts';

test.each(['ES256', 'EdDSA', 'RS256'] as const)(
  'a token that a %s pair signs is accepted',
  async (alg) => {
    const { JWT_PUBLIC_KEY = '', JWT_PRIVATE_KEY = '', PUBLISH_API_KEYS = '' } = makeKeys(alg);
    expect(createPublicKey(JWT_PUBLIC_KEY).type).toBe('public');
    expect(PUBLISH_API_KEYS.length).toBeGreaterThanOrEqual(32);
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const exp = Math.floor(Date.now() / 1000) + 60;
    const signed = `${encode({ alg, typ: 'JWT' })}.${encode({ sub: 'alice', exp })}`;
    const key = { key: JWT_PRIVATE_KEY, dsaEncoding: 'ieee-p1363' } as const;
    const signature = sign(alg === 'EdDSA' ? null : 'sha256', Buffer.from(signed), key);
    const verifier = createJwtVerifier({ JWT_PUBLIC_KEY } as Parameters<
      typeof createJwtVerifier
    >[0]);
    const { userId } = await verifier.verify(`${signed}.${signature.toString('base64url')}`);
    expect(userId).toBe('alice');
  },
);

test('makeKeys makes different keys each time', () => {
  const [one, other] = [makeKeys('HS256'), makeKeys('HS256')];
  expect(one['JWT_SECRET']).not.toBe(other['JWT_SECRET']);
  expect(one['PUBLISH_API_KEYS']).not.toBe(other['PUBLISH_API_KEYS']);
});
