import type { RoomGrant } from '@leque/core';
import { ID_RULE, MAX_CURSORS, type ProtocolError, tryReadId } from '@leque/protocol';
import type { JWTPayload } from 'jose';
import { expiryOf, GRANT_USE } from '../verifying/common-claims.ts';
import { claimInvalid, GRANT_WORDS } from '../verifying/refusal.ts';

/** The most projects of one grant: as many as a session may have channels. */
const MAX_PROJECTS = MAX_CURSORS;

/**
 * Reads a grant from the claims of a verified JWT. Only these claims count, whatever names the claims of
 * tokens have: a scope gives nothing here (ISO).
 * @throws ProtocolError `grant_invalid` that names the claim
 */
export function roomGrantOf(claims: JWTPayload): RoomGrant {
  if (claims['use'] !== GRANT_USE) throw invalid('use', 'must be "grant"; a token is no grant');
  const { nbf } = claims;
  return {
    userId: userOf(claims.sub),
    projects: projectsOf(claims['projects']),
    expiresAt: expiryOf(claims, GRANT_WORDS),
    notBefore: nbf === undefined ? undefined : nbf * 1000,
  };
}

/** A grant without a user would be good for everybody. */
function userOf(sub: unknown): string {
  const id = tryReadId(sub);
  if (id === undefined) throw invalid('sub', `must be the user: ${ID_RULE}`);
  return id;
}

function projectsOf(claim: unknown): readonly string[] {
  if (!Array.isArray(claim) || claim.length === 0 || claim.length > MAX_PROJECTS) {
    throw invalid('projects', `must be a list of 1 to ${MAX_PROJECTS} project ids`);
  }
  return claim.map((entry, index) => projectIn(entry, `projects[${index}]`));
}

function projectIn(entry: unknown, place: string): string {
  const id = tryReadId(entry);
  if (id === undefined) throw invalid(place, `must be ${ID_RULE}; "*" is none`);
  return id;
}

function invalid(claim: string, what: string): ProtocolError {
  return claimInvalid(GRANT_WORDS, claim, what);
}
