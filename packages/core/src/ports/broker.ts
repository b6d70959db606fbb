import type { Event, EventForEach, Position } from '@leque/protocol';
import type { BucketCounts } from '../lib/bucket-counts.ts';
import type { Deadline } from '../lib/deadline.ts';
import type { Publication } from '../publication/publication.ts';

/**
 * Receives what the broker has for this node. Called in order within each channel; must not throw.
 */
export interface BrokerSink {
  /**
   * Takes a publication of a subscribed channel. There are no holes and no duplicates (GAP, DUP).
   * Offsets go on in a new epoch, unless a `resync` says where they start.
   */
  deliver(publication: Publication): void;
  /** Publications up to `position` are lost to this node; the next publication follows it. */
  resync(channel: string, position: Position | undefined): void;
  /**
   * The channel has a new epoch without a gap: the last delivered publication is at `position` now.
   */
  epochChanged(channel: string, position: Position): void;
}

export interface Published {
  readonly messageId: string;
  /** Undefined in a channel without history, and for an event that is live only. */
  readonly position: Position | undefined;
  /** The idempotency key was known: nothing was stored now, and this is the earlier result. */
  readonly duplicate: boolean;
}

/**
 * The largest history that is read in one piece, in bytes of JSON, because others share the broker.
 */
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
   * Whether all publications after the given position are here. False when some are gone for good,
   * and when they do not fit into the extent.
   */
  readonly complete: boolean;
  /** Not complete only because it does not fit: the history reaches back, and `pageAfter` reads it. */
  readonly tooLarge?: boolean;
}

/**
 * Carries publications between nodes and keeps history. Every call settles within a deadline; a
 * call that cannot be carried out rejects with ProtocolError `unavailable`.
 */
export interface Broker {
  /** Connects. Called once, before all other methods. */
  start(sink: BrokerSink): Promise<void>;
  /**
   * Delivers the channel's publications from now on. May be called again for a subscribed channel:
   * then it settles once everything published in it before the call has been delivered.
   * @returns the position after which delivery starts; undefined in a channel without history
   */
  subscribe(channel: string): Promise<Position | undefined>;
  unsubscribe(channel: string): Promise<void>;
  /**
   * Stores the event and sends it to every node, at most once per idempotency key (ACK). An event that
   * is live only is sent without being stored, and arrives between the publications of its channel in
   * the order of these calls.
   * @throws ProtocolError `unavailable` when it was not stored, `outcome_unknown` when it may have been
   */
  publish(event: Event): Promise<Published>;
  /**
   * Stores one event in many channels, in each as `publish` does: at most once per idempotency key,
   * and with an outcome of its own. The text that the channels share is sent once for many of them. Nothing
   * is sent any more once `deadline` has expired; such channels reject with `unavailable`.
   * @returns a promise for each channel, in their order, which rejects as that of `publish`
   */
  publishToEach(
    event: EventForEach,
    deadline: Pick<Deadline, 'expired'>,
  ): readonly Promise<Published>[];
  /**
   * Reads the publications that follow `after`, all of them or none. Without `after` it reads as
   * many of the newest publications as fit, at least one.
   * @throws ProtocolError `unavailable`, or `internal` for a history that no read can succeed on
   */
  history(
    channel: string,
    after: Position | undefined,
    extent: HistoryExtent,
  ): Promise<HistoryPage>;
  /**
   * Reads the first publications that follow `after`: as many as fit, and at least one if there is any.
   * `complete` says here that none is missing before them; the next page follows the last one.
   * @throws ProtocolError `unavailable`, or `internal` for a history that no read can succeed on
   */
  pageAfter(channel: string, after: Position, extent: HistoryExtent): Promise<HistoryPage>;
  /**
   * Asks where a channel stands now, subscribed or not. A channel without publications has a position,
   * too, and nothing is stored for it. Undefined in a channel without history.
   */
  top(channel: string): Promise<Position | undefined>;
  /** Whether this node can receive publications right now (HON), and the reason when it cannot. */
  health(): { readonly ok: true } | { readonly ok: false; readonly reason: string };
  close(): Promise<void>;
}

/** Readings of the connection to a broker outside of the process, for metrics. */
export interface BrokerReadings {
  /** Round trips of the publications by which the node checks that it receives. */
  readonly probeSeconds: BucketCounts;
  readonly probesMissed: number;
  /** Milliseconds since the node's lease was last renewed; 0 before it has one. */
  leaseAgeMs(): number;
}
