import { ALL_PROJECTS, Grants, type Identity, SCOPES, type Scope } from '@leque/core';
import { isId, ProtocolError } from '@leque/protocol';
import type { JWTPayload } from 'jose';

/**
 * Reads the identity and the grants from the claims of a verified token.
 * @throws ProtocolError `token_claim_invalid` that names the claim
 */
export function identityOf(claims: JWTPayload): Identity {
  const userId = userOf(claims);
  const grants = new Grants({ userId, projects: projectsOf(claims), scopes: scopesOf(claims) });
  return { userId, grants, expiresAt: expiryOf(claims) };
}

export function claimInvalid(claim: string, what: string, options?: ErrorOptions): ProtocolError {
  return new ProtocolError('token_claim_invalid', `claim ${claim} ${what}`, options);
}

/** The last second that a Date can represent. */
const LATEST_S = 8_640_000_000_000;

/** Undefined for the token of a service, which belongs to no user. */
function userOf(claims: JWTPayload): string | undefined {
  const sub = userIn(claims, 'sub');
  const userId = userIn(claims, 'userId');
  if (sub !== undefined && userId !== undefined && sub !== userId) {
    throw claimInvalid('userId', 'differs from sub; give one of them');
  }
  return sub ?? userId;
}

function userIn(claims: JWTPayload, claim: 'sub' | 'userId'): string | undefined {
  const value = claims[claim];
  if (value === undefined) return undefined;
  const id = typeof value === 'number' ? String(value) : value;
  if (typeof id === 'string' && isId(id)) return id;
  throw claimInvalid(claim, 'must be 1 to 128 letters, digits and . _ - : @ +');
}

function projectsOf(claims: JWTPayload): string[] {
  const projects = claims['projects'] ?? [];
  if (isListOfText(projects) && projects.every((id) => id === ALL_PROJECTS || isId(id))) {
    return projects;
  }
  throw claimInvalid('projects', 'must be a list of project ids, or ["*"] for all of them');
}

/** The claim is a list, or one string of words as in OAuth 2. Unknown words are ignored. */
function scopesOf(claims: JWTPayload): Scope[] {
  const scope = claims['scope'] ?? [];
  const words = typeof scope === 'string' ? scope.split(' ') : scope;
  if (!isListOfText(words)) {
    throw claimInvalid('scope', 'must be a list of words, or words with blanks between them');
  }
  return SCOPES.filter((known) => words.includes(known));
}

function expiryOf(claims: JWTPayload): number {
  if (claims.exp === undefined) throw claimInvalid('exp', 'is required');
  if (claims.exp > LATEST_S) throw claimInvalid('exp', 'is out of range');
  return claims.exp * 1000;
}

function isListOfText(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}
