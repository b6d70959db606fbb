import type { Scope } from '@leque/core';
import { SignJWT } from 'jose';
import { HMAC_ALGORITHMS, secretKey } from '../keys/secret-key.ts';
import { algorithmsIn } from '../keys/settings.ts';

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
  /** The token is made so that such a verifier accepts it. Without it the variables' defaults count. */
  readonly accepted?: AcceptedTokens;
}

/** Variables of the verifier that decide how a token is signed, and how its claims are named. */
export interface AcceptedTokens {
  readonly JWT_ALGORITHMS?: string | undefined;
  readonly JWT_USER_CLAIM?: string | undefined;
  readonly JWT_PROJECTS_CLAIM?: string | undefined;
  readonly JWT_SCOPE_CLAIM?: string | undefined;
}

type Claims = Record<string, unknown>;

/**
 * Signs a token for developers and tests; in production another service signs tokens.
 * @throws Error when the verifier accepts no token that is signed with a secret
 */
export async function signToken(request: TokenRequest): Promise<string> {
  const { secret, expiresInSeconds, issuer, audience, accepted = {} } = request;
  const token = new SignJWT(claimsOf(request, accepted))
    .setProtectedHeader({ alg: algorithmFor(accepted), typ: 'JWT' })
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1000) + expiresInSeconds);
  if (issuer !== undefined) token.setIssuer(issuer);
  if (audience !== undefined) token.setAudience(audience);
  return token.sign(secretKey(secret));
}

function algorithmFor({ JWT_ALGORITHMS: text }: AcceptedTokens): string {
  const wanted = algorithmsIn(text);
  if (wanted.length === 0) return 'HS256';
  const usable = HMAC_ALGORITHMS.filter((each) => wanted.includes(each));
  const [first] = usable;
  if (first !== undefined) return first;
  const some = HMAC_ALGORITHMS.join(', ');
  throw new Error(
    `JWT_ALGORITHMS=${text} accepts no token that is signed with a secret, which takes one of ${some}`,
  );
}

function claimsOf({ userId, projects, scopes }: TokenRequest, accepted: AcceptedTokens): Claims {
  const claims: Claims = {};
  addClaim(claims, accepted.JWT_USER_CLAIM || 'sub', userId);
  addClaim(claims, accepted.JWT_PROJECTS_CLAIM || 'projects', [...projects]);
  addClaim(claims, accepted.JWT_SCOPE_CLAIM || 'scope', scopes.join(' '));
  return claims;
}

/**
 * Adds a claim where the verifier finds it: a path of names becomes objects within each other. A name
 * with a slash, as in `https://app.example.org/projects`, is one name, and so is a path through a
 * claim that is no object.
 */
function addClaim(claims: Claims, path: string, value: unknown): void {
  const [name = '', ...rest] = path.includes('/') ? [path] : path.split('.');
  const inner = rest.length === 0 ? undefined : (claims[name] ?? {});
  if (!isObject(inner)) {
    claims[path] = value;
    return;
  }
  claims[name] = inner;
  addClaim(inner, rest.join('.'), value);
}

function isObject(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
