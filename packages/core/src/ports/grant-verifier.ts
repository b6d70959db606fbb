import type { RoomGrant } from '../access/room-grants.ts';

/** Turns the text of a grant into the rights that it proves. */
export interface GrantVerifier {
  /**
   * The times of the grant are checked in each call, also when its signature was verified before. Whether it
   * is for the user of a session is checked by that session.
   * @throws ProtocolError `token_…`, whose message says what is wrong with the grant
   */
  verify(token: string): Promise<RoomGrant>;
}
