import { decodeJwt } from 'jose';
import { expect, test } from 'vitest';
import { createJwtVerifier } from '../verifiers.ts';
import { type AcceptedTokens, signToken } from './sign-token.ts';

const secret = 'a secret of thirty-two characters';
const REQUEST = {
  secret,
  userId: 'alice',
  projects: ['P'],
  scopes: ['stats'],
  expiresInSeconds: 60,
} as const;

test.each<AcceptedTokens>([
  {},
  { JWT_ALGORITHMS: '', JWT_USER_CLAIM: '' },
  { JWT_ALGORITHMS: 'HS384' },
  { JWT_ALGORITHMS: 'HS512' },
  { JWT_ALGORITHMS: 'HS512 HS384' },
  { JWT_USER_CLAIM: 'email' },
  { JWT_USER_CLAIM: 'userId' },
  { JWT_USER_CLAIM: 'app.user', JWT_PROJECTS_CLAIM: 'app.projects', JWT_SCOPE_CLAIM: 'app.a.b' },
  { JWT_USER_CLAIM: 'app', JWT_PROJECTS_CLAIM: 'app.projects' },
  { JWT_PROJECTS_CLAIM: 'app', JWT_SCOPE_CLAIM: 'app.scope' },
  { JWT_SCOPE_CLAIM: 'app.scope', JWT_USER_CLAIM: 'https://app.example.org/user' },
  { JWT_PROJECTS_CLAIM: 'https://app.example.org/claims.projects' },
])('a verifier with %j accepts the token that is signed for it', async (accepted) => {
  const token = await signToken({ ...REQUEST, accepted });
  const given = Object.entries(accepted).filter(([, value]) => value !== '');
  const verifier = createJwtVerifier({ JWT_SECRET: secret, ...Object.fromEntries(given) });
  const { userId, grants } = await verifier.verify(token);
  expect(userId).toBe('alice');
  expect(grants.projects).toEqual(['P']);
  expect(grants.has('stats')).toBe(true);
});

test('a path of claims becomes objects within each other', async () => {
  const accepted = { JWT_USER_CLAIM: 'app.user', JWT_PROJECTS_CLAIM: 'app.projects' };
  const claims = decodeJwt(await signToken({ ...REQUEST, accepted }));
  expect(claims).toMatchObject({ app: { user: 'alice', projects: ['P'] }, scope: 'stats' });
  expect(claims).not.toHaveProperty('sub');
});

test('no token is signed for a verifier that accepts none with a secret', async () => {
  const signing = signToken({ ...REQUEST, accepted: { JWT_ALGORITHMS: 'RS256,EdDSA' } });
  await expect(signing).rejects.toThrow(
    'JWT_ALGORITHMS=RS256,EdDSA accepts no token that is signed with a secret, which takes one of HS256, HS384, HS512',
  );
});
