import type { Scope } from '@leque/core';
import { SignJWT } from 'jose';

export interface TokenRequest {
  /** As in `JWT_SECRET`. */
  readonly secret: string;
  readonly userId: string;
  /** Ids of projects, or `*` for all of them. */
  readonly projects: readonly string[];
  readonly scopes: readonly Scope[];
  readonly expiresInSeconds: number;
  /** Needed where the verifier has a `JWT_ISSUER`. */
  readonly issuer?: string;
  /** Needed where the verifier has a `JWT_AUDIENCE`. */
  readonly audience?: string;
}

/** A token for developers and tests; in production another service signs them. */
export async function signToken(request: TokenRequest): Promise<string> {
  const { secret, userId, projects, scopes, expiresInSeconds, issuer, audience } = request;
  const token = new SignJWT({ projects: [...projects], scope: scopes.join(' ') })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(userId)
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1000) + expiresInSeconds);
  if (issuer !== undefined) token.setIssuer(issuer);
  if (audience !== undefined) token.setAudience(audience);
  return token.sign(new TextEncoder().encode(secret));
}
