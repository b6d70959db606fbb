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

interface Entry<R> {
  readonly records: R[];
  /** Time of the monotonic clock. */
  readonly endsAt: number;
}

/**
 * The newest records of each of the newest message ids, at most one record per channel. `LRUCache` bounds
 * the number of ids. Expiry is done here, because that of `LRUCache` costs a microsecond per publication.
 */
export class ChannelRecords<R extends { readonly channel: string }> {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #ttlMs: number;
  readonly #entries: LRUCache<string, Entry<R>>;

  /** @param options at least one entry; memory for the index is reserved at once */
  constructor(clock: Pick<Clock, 'monotonic'>, options: JournalOptions) {
    this.#clock = clock;
    this.#ttlMs = options.ttlMs;
    this.#entries = new LRUCache({ max: options.entries });
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
    if (records === undefined) this.#add(messageId, record);
    else replaceIn(records, record);
  }

  #add(messageId: string, record: R): void {
    const endsAt = this.#clock.monotonic() + this.#ttlMs;
    this.#entries.set(messageId, { records: [record], endsAt });
  }

  /** Reading a record does not make it newer. */
  #recordsOf(messageId: string): R[] | undefined {
    const entry = this.#entries.peek(messageId);
    return entry === undefined || entry.endsAt < this.#clock.monotonic()
      ? undefined
      : entry.records;
  }
}

function replaceIn<R extends { readonly channel: string }>(records: R[], record: R): void {
  const known = records.findIndex(({ channel }) => channel === record.channel);
  if (known !== -1) records.splice(known, 1);
  else if (records.length >= MAX_CHANNELS) records.shift();
  records.push(record);
}
