import type { RoomGrant } from '../access/room-grants.ts';

/** Makes grants that the processes of the cluster accept. */
export interface GrantSigner {
  /** The grant ends at `expiresAt`, rounded down to a second. */
  sign(grant: Pick<RoomGrant, 'userId' | 'projects' | 'expiresAt'>): Promise<string>;
}
