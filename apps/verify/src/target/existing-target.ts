import { signToken } from '@leque/auth-jwt';
import type { Target } from './target.ts';

const TOKEN_LIFETIME_S = 86_400;

/** A system that runs already. */
export interface ExistingTargetOptions {
  readonly gateways: readonly string[];
  readonly publishers: readonly string[];
  /** What its tokens are signed with. */
  readonly secret: string;
  readonly apiKey: string | undefined;
}

/** A system that runs already; nothing of it is broken, and nobody else's channels are used. */
export function existingTarget(options: ExistingTargetOptions): Target {
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
