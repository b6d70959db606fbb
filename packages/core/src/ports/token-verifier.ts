import type { Identity } from '../access/grants.ts';

/** Turns a token into the identity that it proves. */
export interface TokenVerifier {
  /** @throws ProtocolError `token_…`, whose message says what is wrong with the token */
  verify(token: string): Promise<Identity>;
}
