/** A client that comes back by itself, with its cursors, until it is closed. */
export interface AuditedClient extends AsyncDisposable {
  /** Whether its subscriptions stand. */
  readonly open: boolean;
  start(): void;
  /** Stops reading, or goes on. */
  stall(on: boolean): void;
  /** Breaks its connection without a word; it comes back. */
  drop(): void;
}
