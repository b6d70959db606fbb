import type { Scope } from '@leque/core';
import { SignJWT } from 'jose';
import { secretKey } from './secret-key.ts';

export interface TokenRequest {
  /** The secret of the verifier, see `JWT_SECRET`. */
  readonly secret: string;
  readonly userId: string;
  /** Ids of projects, or `*` for all of them. */
  readonly projects: readonly string[];
  readonly scopes: readonly Scope[];
  readonly expiresInSeconds: number;
  /** Required by a verifier with `JWT_ISSUER`. */
  readonly issuer?: string;
  /** Required by a verifier with `JWT_AUDIENCE`. */
  readonly audience?: string;
}

/** Signs a token for developers and tests; in production another service signs tokens. */
export async function signToken(request: TokenRequest): Promise<string> {
  const { secret, userId, projects, scopes, expiresInSeconds, issuer, audience } = request;
  const token = new SignJWT({ projects: [...projects], scope: scopes.join(' ') })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(userId)
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1000) + expiresInSeconds);
  if (issuer !== undefined) token.setIssuer(issuer);
  if (audience !== undefined) token.setAudience(audience);
  return token.sign(secretKey(secret));
}
