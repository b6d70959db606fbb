/** A client that reconnects with its cursors until it is disposed of. */
export interface AuditedClient extends AsyncDisposable {
  /** Whether its subscriptions are established. */
  readonly open: boolean;
  /** Why its last connection failed or ended; empty before that. */
  readonly failure: string;
  start(): void;
  /** Stops or resumes reading. */
  stall(on: boolean): void;
  /** Cuts its connection without a close frame; the client reconnects. */
  drop(): void;
  /**
   * Cuts its connection, and comes back after this time. The next connection is cut after `cutAfter`
   * publications, so that a long resume is interrupted.
   */
  leave(forMs: number, cutAfter: number): void;
}
