import { LRUCache } from 'lru-cache';
import type { Clock } from '../lib/clock.ts';

/**
 * Channels remembered for one message id. A publisher may give the same id to everything that it
 * publishes, so their number needs a bound.
 */
const MAX_CHANNELS = 16;

export interface JournalOptions {
  /** Message ids that are remembered; 0 for none. */
  readonly entries: number;
  readonly ttlMs: number;
}

/** The newest records of each of the newest message ids, at most one record per channel. */
export class ChannelRecords<R extends { readonly channel: string }> {
  readonly #records: LRUCache<string, R[]>;

  /** @param options at least one entry; memory for the index is reserved at once */
  constructor(clock: Pick<Clock, 'monotonic'>, options: JournalOptions) {
    this.#records = new LRUCache({
      max: options.entries,
      ttl: options.ttlMs,
      ttlResolution: 0, // the library would set timers of its own to remember the time
      perf: { now: () => clock.monotonic() },
    });
  }

  find(messageId: string): readonly R[] {
    return this.#recordsOf(messageId) ?? [];
  }

  findIn(channel: string, messageId: string): R | undefined {
    return this.#recordsOf(messageId)?.find((record) => record.channel === channel);
  }

  /** Replaces the record of the same channel, if there is one. */
  set(messageId: string, record: R): void {
    const records = this.#recordsOf(messageId);
    if (records === undefined) {
      this.#records.set(messageId, [record]);
      return;
    }
    const known = records.findIndex(({ channel }) => channel === record.channel);
    if (known !== -1) records.splice(known, 1);
    else if (records.length >= MAX_CHANNELS) records.shift();
    records.push(record);
  }

  /** Reading a record does not make it newer. */
  #recordsOf(messageId: string): R[] | undefined {
    return this.#records.peek(messageId);
  }
}
