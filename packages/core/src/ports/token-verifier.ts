import type { Identity } from '../access/grants.ts';

/** Turns a token into the identity that it proves. */
export interface TokenVerifier {
  /** @throws ProtocolError `token_…` that says what is wrong with it */
  verify(token: string): Promise<Identity>;
}
