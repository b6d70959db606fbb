import type { Event, Position } from '@leque/protocol';
import type { BucketCounts } from '../lib/bucket-counts.ts';
import type { Publication } from '../publication/publication.ts';

/** What the broker tells this node. Called in order for each channel; must not throw. */
export interface BrokerSink {
  /**
   * A publication of a subscribed channel: never a hole, never a duplicate (GAP, DUP). Offsets go on
   * in a new epoch, unless a `resync` says where they start.
   */
  deliver(publication: Publication): void;
  /** What lies before `position` cannot be had any more; the next publication follows it. */
  resync(channel: string, position: Position | undefined): void;
  /** What was delivered is the same, but its end is called `position` now: of another epoch. */
  epochChanged(channel: string, position: Position): void;
}

export interface Published {
  readonly messageId: string;
  /** Undefined where the channel keeps no history. */
  readonly position: Position | undefined;
  /** The idempotency key was known: nothing was stored now, this is the first result. */
  readonly duplicate: boolean;
}

/** The largest history that is read in one piece, in bytes of JSON: brokers serve other clients, too. */
export const MAX_HISTORY_BYTES = 1_048_576;

/** The most that is read of a history. */
export interface HistoryExtent {
  readonly publications: number;
  /** Bytes of JSON in all publications together; at most `MAX_HISTORY_BYTES`. */
  readonly bytes: number;
}

export interface HistoryPage {
  /** The top of the channel when the page was read. */
  readonly position: Position | undefined;
  /** Oldest first. Empty unless `complete`. */
  readonly publications: readonly Publication[];
  /**
   * All publications after the asked position are here. False when some are gone for good, and when
   * they do not fit into the extent.
   */
  readonly complete: boolean;
  /** Not complete, and the broker found that out only by reading up to the whole extent. */
  readonly readAndRejected?: boolean;
}

/**
 * Carries publications between nodes and keeps history. Every call settles within a deadline;
 * those that cannot be carried out reject with ProtocolError `unavailable`.
 */
export interface Broker {
  /** Connects. Called once, before everything else. */
  start(sink: BrokerSink): Promise<void>;
  /**
   * Delivers the channel's publications from now on. Idempotent: for a channel that is subscribed
   * it settles once everything that was published in it before the call has been delivered.
   * @returns the position after which delivery starts; undefined where no history is kept
   */
  subscribe(channel: string): Promise<Position | undefined>;
  unsubscribe(channel: string): Promise<void>;
  /**
   * Stores the event and sends it to every node, at most once per idempotency key (ACK).
   * @throws ProtocolError `unavailable` when it was not stored, `outcome_unknown` when it may have been
   */
  publish(event: Event): Promise<Published>;
  /**
   * What follows `after` in the channel, all or nothing; or, without it, as many of the newest
   * publications as fit, at least one.
   */
  history(
    channel: string,
    after: Position | undefined,
    extent: HistoryExtent,
  ): Promise<HistoryPage>;
  /**
   * The beginning of what follows `after`, to be read on from its last publication: at most `limit`,
   * and at least one where there is any. Here `complete` says that nothing is missing before them.
   */
  pageAfter(channel: string, after: Position, limit: number): Promise<HistoryPage>;
  /** Whether this node can receive publications right now (HON); the reason when it cannot. */
  health(): { readonly ok: true } | { readonly ok: false; readonly reason: string };
  close(): Promise<void>;
}

/** How a node stands with a broker outside of its process; for metrics. */
export interface BrokerReadings {
  /** How long what the node publishes to itself takes to come back. */
  readonly probeSeconds: BucketCounts;
  readonly probesMissed: number;
  /** Since the lease of the node was last renewed; 0 before it has one. */
  leaseAgeMs(): number;
}
