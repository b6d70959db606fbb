import type { RoomGrant } from '../access/room-grants.ts';

/** Turns the text of a grant into the rights that it proves. */
export interface GrantVerifier {
  /**
   * The times of the grant are checked in each call, also when its signature was verified before. Whether it
   * is for the user of a session is checked by that session.
   * @throws ProtocolError `grant_expired` or `grant_invalid`, whose message says what is wrong with the grant
   */
  verify(grant: string): Promise<RoomGrant>;
  /** Returns a grant that was verified before and still counts; undefined for one to be verified. */
  recall?(grant: string): RoomGrant | undefined;
}
