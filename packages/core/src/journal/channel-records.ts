import type { Clock } from '../lib/clock.ts';
import { type RecentLimits, RecentMap } from '../lib/recent-map.ts';

/** Of one message id, which its publisher may give to all that it publishes: the newest channels. */
const MAX_CHANNELS = 16;

/** What is remembered of each message id: the newest records, one for each channel. */
export class ChannelRecords<R extends { readonly channel: string }> {
  readonly #records: RecentMap<R[]>;

  constructor(clock: Pick<Clock, 'monotonic'>, limits: RecentLimits) {
    this.#records = new RecentMap(clock, limits);
  }

  find(messageId: string): readonly R[] {
    return this.#records.get(messageId) ?? [];
  }

  findIn(channel: string, messageId: string): R | undefined {
    return this.#records.get(messageId)?.find((record) => record.channel === channel);
  }

  /** In place of what is known of the same channel. */
  set(messageId: string, record: R): void {
    const records = this.#records.get(messageId);
    if (records === undefined) {
      this.#records.set(messageId, [record]);
      return;
    }
    const known = records.findIndex(({ channel }) => channel === record.channel);
    if (known !== -1) records.splice(known, 1);
    else if (records.length >= MAX_CHANNELS) records.shift();
    records.push(record);
  }
}
