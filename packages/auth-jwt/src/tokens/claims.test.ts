import { userChannel } from '@leque/protocol';
import { type JWTPayload, SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { createJwtVerifier } from '../verifiers.ts';

const secret = 'a secret of thirty-two characters';

function sign(claims: JWTPayload) {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1m')
    .sign(new TextEncoder().encode(secret));
}

describe('a verifier reads', () => {
  test.each([
    [{ sub: 'alice' }, 'alice'],
    [{ userId: 'alice' }, 'alice'],
    [{ userId: 42 }, '42'],
    [{ sub: '42', userId: 42 }, '42'],
    [{}, undefined],
  ])('the claims %j name the user %s', async (claims, userId) => {
    const verifier = createJwtVerifier({ JWT_SECRET: secret });
    expect((await verifier.verify(await sign(claims as JWTPayload))).userId).toBe(userId);
  });

  test.each([
    [{ scope: 'publish stats' }, ['publish', 'stats']],
    [{ scope: ['stats', 'email'] }, ['stats']],
    [{ scope: 'openid  profile' }, []],
    [{}, []],
  ])('the claims %j give the scopes %j', async (claims, scopes) => {
    const verifier = createJwtVerifier({ JWT_SECRET: secret });
    const { grants } = await verifier.verify(await sign(claims));
    const had = (['publish', 'stats', 'admin'] as const).filter((scope) => grants.has(scope));
    expect(had).toEqual(scopes);
  });

  test.each([
    [{ projects: ['P1', 7] }, ['P1', '7']],
    [{ projects: 'P1' }, ['P1']],
    [{ projects: 'P1 P2' }, ['P1', 'P2']],
    [{ projects: '["P1","P 2"]' }, ['P1', 'P 2']],
    [{ projects: null }, []],
    [{ projects: 7 }, undefined],
  ])('[ID] the claims %j name the projects %j', async (claims, projects) => {
    const verifier = createJwtVerifier({ JWT_SECRET: secret });
    const verifying = verifier.verify(await sign(claims as JWTPayload));
    if (projects === undefined) await expect(verifying).rejects.toThrow('claim projects must be');
    else expect((await verifying).grants.projects).toEqual(projects);
  });

  test.each([
    'auth0|64fabc',
    'google-oauth2|115512',
    'oauth2|slack|U1',
    'repo:octo/app:ref:refs/heads/main',
    'spiffe://td/ns/x',
    'CN=Bob,OU=x',
    "o'neil@x.org",
    'josé@x.org',
    'f:uuid:bob smith',
    'user%40x.org',
    '{}',
  ])('[ID] the user %j, and nobody else hears its channel', async (sub) => {
    const { userId, grants } = await createJwtVerifier({ JWT_SECRET: secret }).verify(
      await sign({ sub }),
    );
    expect(userId).toBe(sub);
    expect(grants.covers(userChannel(sub))).toBe(true);
    expect(grants.covers(userChannel(userChannel(sub)))).toBe(false);
  });

  test('claims by the names that are configured, and by no others', async () => {
    const settings = {
      JWT_SECRET: secret,
      JWT_USER_CLAIM: 'https://app.test/user.id',
      JWT_PROJECTS_CLAIM: 'app_metadata.leque.projects',
      JWT_SCOPE_CLAIM: 'permissions',
    };
    const claims = {
      sub: 'auth0|1',
      'https://app.test/user': { id: 42 },
      app_metadata: { leque: { projects: 'P1,P2' } },
      projects: ['*'],
      permissions: ['publish', 'read:all'],
      scope: 'admin',
    };
    const { userId, grants } = await createJwtVerifier(settings).verify(await sign(claims));
    expect([userId, grants.projects, grants.has('publish'), grants.has('admin')]).toEqual([
      '42',
      ['P1', 'P2'],
      true,
      false,
    ]);
  });
});
