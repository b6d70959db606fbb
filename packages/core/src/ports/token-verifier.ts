import type { Identity } from '../access/grants.ts';

/** Turns a token into the identity that it proves. */
export interface TokenVerifier {
  /** @throws ProtocolError `token_…`, whose message says what is wrong with the token */
  verify(token: string): Promise<Identity>;
  /**
   * Returns the identity of a token that was verified lately; undefined for a token that has to be verified.
   * Synchronous, because a promise would take longer than the look-up.
   */
  recall?(token: string): Identity | undefined;
}
