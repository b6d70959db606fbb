import type { Broker, Published } from '@leque/core';
import { makeEvent } from '../fakes/make-event.ts';
import type { RecordingSink } from '../fakes/recording-sink.ts';

export interface BrokerNode {
  readonly broker: Broker;
  readonly sink: RecordingSink;
}

/** Brokers of several nodes with default limits, on one Redis or its substitute. */
export interface BrokerCluster extends AsyncDisposable {
  /** Adds a node and starts its broker. */
  node(): Promise<BrokerNode>;
  /** Expires a channel's history at once. */
  expireHistory(channel: string): Promise<void>;
  expireIdempotencyKey(channel: string, key: string): Promise<void>;
}

export const PROJECT = 'project:P-1';
export const USER = 'user:42';
/** The default size of a user's history. */
export const USER_HISTORY_SIZE = 200;
/** Few enough for a busy machine to answer each of them within its deadline. */
const AT_A_TIME = 100;
export const PATIENCE = { timeout: 10_000 };

/** Publishes events with `data.n` = 1, 2, 3, … */
export async function publishMany(
  broker: Broker,
  count: number,
  { channel = PROJECT, data = {} }: { channel?: string; data?: object } = {},
): Promise<Published[]> {
  const published: Published[] = [];
  while (published.length < count) {
    const first = published.length + 1;
    const numbers = range(first, Math.min(count, first + AT_A_TIME - 1));
    const batch = numbers.map((n) => broker.publish(makeEvent(channel, { ...data, n })));
    published.push(...(await Promise.all(batch)));
  }
  return published;
}

export function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}
