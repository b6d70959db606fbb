import type { Identity } from '../access/grants.ts';

/** Turns a token into the identity that it proves. */
export interface TokenVerifier {
  /** @throws ProtocolError `token_…`, whose message says what is wrong with the token */
  verify(token: string): Promise<Identity>;
  /**
   * The identity of a token that was verified lately, without waiting: promises take longer than the
   * look-up. Undefined for a token that has to be verified.
   */
  recall?(token: string): Identity | undefined;
}
