import type { ChannelLedger } from '../audit/ledger.ts';

/** The events to publish, their channels, and their rate. */
export interface PublisherSpec {
  /** Part of each event's data, which distinguishes runs. */
  readonly run: string;
  /** URLs of publishers; after a failure the next one is used. */
  readonly urls: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly channels: readonly ChannelLoad[];
  readonly seed: number;
}

export interface ChannelLoad {
  readonly channel: string;
  readonly perSecond: number;
  /** Length of the text in each event. */
  readonly payloadBytes: number;
}

/** The outcome of publishing. */
export interface PublishResult {
  readonly ledgers: Readonly<Record<string, ChannelLedger>>;
  /** Failed requests, by the status of their answer. */
  readonly failures: Readonly<Record<string, number>>;
  /** Longest time until a publisher answered with a failure, in milliseconds. */
  readonly slowestRefusalMs: number;
  /** Reasons of the first refused requests, which are mistakes of this program. */
  readonly refused: readonly string[];
}
