import { signToken } from '@leque/auth-jwt';
import type { Target } from './target.ts';

const TOKEN_LIFETIME_S = 86_400;

/** A system that runs already. */
export interface ExistingTargetOptions {
  readonly gateways: readonly string[];
  readonly publishers: readonly string[];
  /** The secret that signs its tokens. */
  readonly secret: string;
  readonly apiKey: string | undefined;
}

/** A system that runs already: none of its parts is broken, and its channels are not used. */
export function existingTarget(options: ExistingTargetOptions): Target {
  const { gateways, publishers, apiKey, secret } = options;
  return {
    gateways,
    publishers,
    headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
    system: undefined,
    secret,
    token: (userId, projects) =>
      signToken({ secret, userId, projects, scopes: [], expiresInSeconds: TOKEN_LIFETIME_S }),
    [Symbol.asyncDispose]: async () => {},
  };
}
