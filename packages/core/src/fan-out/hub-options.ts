import type { JournalOptions } from '../journal/channel-records.ts';
import type { SlowConsumerRules } from './slow-consumer-rules.ts';

/** What a node allows its sessions. */
export interface HubOptions {
  readonly outboxMaxBytes: number;
  /** A busy session is written to at most once in this time. */
  readonly fanoutWindowMs: number;
  /** How long a channel stays subscribed after its last session left. */
  readonly unsubscribeGraceMs: number;
  /** Channels that one session may subscribe to. */
  readonly maxSubscriptions: number;
  /** Publications that one recovery may bring; a client that missed more fetches anew. */
  readonly maxRecovered: number;
  /** What is done in which channel for clients that read too slowly. */
  readonly slowConsumerRules: SlowConsumerRules;
  /** What is remembered for traces; nothing without it. */
  readonly journal?: JournalOptions;
}
