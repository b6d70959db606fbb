import { ALL_PROJECTS, Grants, type Identity, SCOPES, type Scope } from '@leque/core';
import { ID_RULE, type ProtocolError, tryReadId } from '@leque/protocol';
import type { JWTPayload } from 'jose';
import { expiryOf, seemsGrant } from '../verifying/common-claims.ts';
import { claimInvalid as invalid, TOKEN_WORDS } from '../verifying/refusal.ts';
import { findClaim, tryReadList } from './claim-path.ts';

/** The names of the claims, or the paths to them. */
export interface ClaimNames {
  /** Undefined for `sub`, or `userId` in its place. */
  readonly user: string | undefined;
  readonly projects: string;
  readonly scope: string;
}

/**
 * Reads the identity and the grants from the claims of a verified token.
 * @throws ProtocolError `token_claim_invalid` that names the claim
 */
export function identityOf(claims: JWTPayload, names: ClaimNames): Identity {
  if (seemsGrant(claims)) throw grantAsToken();
  const userId = userOf(claims, names);
  const projects = projectsOf(claims, names.projects);
  const grants = new Grants({ userId, projects, scopes: scopesOf(claims, names.scope) });
  return { userId, grants, expiresAt: expiryOf(claims, TOKEN_WORDS) };
}

/** The refusal of a grant in the place of a token (ISO). */
export function grantAsToken(): ProtocolError {
  return claimInvalid('use', 'says that this is a grant, which comes with a subscription');
}

function claimInvalid(claim: string, what: string): ProtocolError {
  return invalid(TOKEN_WORDS, claim, what);
}

/** Undefined for the token of a service, which belongs to no user. */
function userOf(claims: JWTPayload, { user }: ClaimNames): string | undefined {
  if (user !== undefined) return userIn(claims, user);
  const sub = userIn(claims, 'sub');
  const userId = userIn(claims, 'userId');
  if (sub !== undefined && userId !== undefined && sub !== userId) {
    throw claimInvalid('userId', 'differs from sub; give one of them');
  }
  return sub ?? userId;
}

function userIn(claims: JWTPayload, claim: string): string | undefined {
  const value = findClaim(claims, claim);
  if (value === undefined) return undefined;
  const id = tryReadId(value);
  if (id === undefined) throw claimInvalid(claim, `must be ${ID_RULE}`);
  return id;
}

function projectsOf(claims: JWTPayload, claim: string): string[] {
  const list = tryReadList(findClaim(claims, claim) ?? []);
  if (list === undefined) {
    throw claimInvalid(claim, 'must be a list of project ids, or ["*"] for all of them');
  }
  return list.map((entry, index) => projectIn(entry, `${claim}[${index}]`));
}

function projectIn(entry: unknown, place: string): string {
  if (entry === ALL_PROJECTS) return entry;
  const id = tryReadId(entry);
  if (id === undefined) throw claimInvalid(place, `must be ${ID_RULE}, or "*" for all projects`);
  return id;
}

/** Unknown words are ignored, because other services read this claim, too. */
function scopesOf(claims: JWTPayload, claim: string): Scope[] {
  const words = tryReadList(findClaim(claims, claim) ?? []);
  if (words === undefined) {
    throw claimInvalid(claim, 'must be a list of words, or words with blanks between them');
  }
  return SCOPES.filter((known) => words.includes(known));
}
