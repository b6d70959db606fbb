import type { ChannelLedger } from '../audit/ledger.ts';

/** What is published, where, and how often. */
export interface PublisherSpec {
  /** In the data of each event, so that those of two runs are not taken for each other. */
  readonly run: string;
  /** Of publishers; whoever does not get an answer turns to the next one. */
  readonly urls: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly channels: readonly ChannelLoad[];
  readonly seed: number;
}

export interface ChannelLoad {
  readonly channel: string;
  readonly perSecond: number;
  /** Of the text that is in each event beside its number. */
  readonly payloadBytes: number;
}

/** What came of it. */
export interface PublishResult {
  readonly ledgers: Readonly<Record<string, ChannelLedger>>;
  /** Requests that were not answered with success, by what they were answered. */
  readonly failures: Readonly<Record<string, number>>;
  /** The longest that a publisher took to say that it cannot, in milliseconds. */
  readonly slowestRefusalMs: number;
  /** The first few requests that were refused for what they say: those are mistakes. */
  readonly refused: readonly string[];
}
