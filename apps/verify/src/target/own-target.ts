import { signToken } from '@leque/auth-jwt';
import { TEST_API_KEY, TEST_JWT_SECRET } from '@leque/testkit';
import { type SystemOptions, startSystem } from './system.ts';
import type { Target } from './target.ts';

const TOKEN_LIFETIME_S = 86_400;

/** Starts a system as the target. */
export async function startOwnTarget(options: SystemOptions): Promise<Target> {
  const system = await startSystem(options);
  return {
    system,
    secret: TEST_JWT_SECRET,
    gateways: system.gateways.map(({ server }) => server.url),
    publishers: system.publishers.map(({ server }) => server.url),
    headers: { authorization: `Bearer ${TEST_API_KEY}` },
    token: (userId, projects) =>
      signToken({
        secret: TEST_JWT_SECRET,
        userId,
        projects,
        scopes: [],
        expiresInSeconds: TOKEN_LIFETIME_S,
      }),
    [Symbol.asyncDispose]: () => system[Symbol.asyncDispose](),
  };
}
