/** A client that comes back by itself, with its cursors, until it is closed. */
export interface AuditedClient extends AsyncDisposable {
  /** Whether its subscriptions stand. */
  readonly open: boolean;
  /** Why its last connection failed or ended; empty before that. */
  readonly failure: string;
  start(): void;
  /** Stops reading, or goes on. */
  stall(on: boolean): void;
  /** Breaks its connection without a word; it comes back. */
  drop(): void;
}
