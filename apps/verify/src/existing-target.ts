import { signToken } from '@leque/auth-jwt';
import type { TargetOptions } from './options.ts';
import type { Target } from './target.ts';

const TOKEN_LIFETIME_S = 86_400;

/** A system that runs already; nothing of it is broken, and nobody else's channels are used. */
export function existingTarget(options: TargetOptions): Target {
  const { gateways, publishers, apiKey, secret } = options;
  return {
    gateways,
    publishers,
    headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
    system: undefined,
    token: (userId, projects) =>
      signToken({ secret, userId, projects, scopes: [], expiresInSeconds: TOKEN_LIFETIME_S }),
    [Symbol.asyncDispose]: async () => {},
  };
}
