/** The right of one user to hear some projects for a time, as a verified grant gives it. */
export interface RoomGrant {
  /** The user whom it is for; no session of another user takes it. */
  readonly userId: string;
  readonly projects: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
  /** Milliseconds since the Unix epoch; undefined when the grant is valid at once. */
  readonly notBefore: number | undefined;
}
