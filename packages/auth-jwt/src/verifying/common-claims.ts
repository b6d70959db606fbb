import type { JWTPayload } from 'jose';
import { claimInvalid, type RefusalWords } from './refusal.ts';

/** The value of the claim `use` that makes a JWT a grant. */
export const GRANT_USE = 'grant';

/** Whether a JWT is no token (ISO): it is a grant, or was meant as one, with a misspelt use. */
export function seemsGrant({ use }: JWTPayload): boolean {
  return /grant/i.test(String(use));
}

/** The last second that a Date can represent. */
const LATEST_S = 8_640_000_000_000;

/**
 * When a JWT ends, in milliseconds since the Unix epoch.
 * @throws ProtocolError that names the claim
 */
export function expiryOf({ exp }: JWTPayload, words: RefusalWords): number {
  if (exp === undefined) throw claimInvalid(words, 'exp', 'is required');
  if (exp > LATEST_S) throw claimInvalid(words, 'exp', 'is out of range');
  return exp * 1000;
}
