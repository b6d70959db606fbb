import type { JournalOptions } from '../journal/channel-records.ts';
import type { HistoryExtent } from '../ports/broker.ts';
import type { SlowConsumerRules } from './slow-consumer-rules.ts';

/** Limits and times of one node. */
export interface HubOptions {
  readonly outboxMaxBytes: number;
  /** Minimum time between two writes to a busy session; 0 for no pacing. */
  readonly fanoutWindowMs: number;
  /** How long a channel stays subscribed after its last subscription ended. */
  readonly unsubscribeGraceMs: number;
  /** Channels that one session may subscribe to. */
  readonly maxSubscriptions: number;
  /** The most that is read of a history at once; what a client missed beyond it follows in pages. */
  readonly replayPage: HistoryExtent;
  /** Rule for clients that read too slowly, by channel. */
  readonly slowConsumerRules: SlowConsumerRules;
  /** Memory for delivery reports; absent for none. */
  readonly journal?: JournalOptions;
}
