import {
  type Clock,
  ConcurrencyLimit,
  type HistoryExtent,
  type HistoryPage,
  MAX_HISTORY_BYTES,
} from '@leque/core';
import { type Position, toCursor } from '@leque/protocol';
import { withDeadline } from '../lib/deadline.ts';
import type { ChannelLog } from './channel-log.ts';
import { RecentPages } from './recent-pages.ts';

/** Many may come back at once, and wait for one another. */
const TIMEOUT_MS = 5000;
/**
 * Few run, as an answer may be long, and every other command waits behind those on their way; as
 * many may wait as Redis may answer in time.
 */
const LIMITS = { running: 16, waiting: 10_000 };

/** Up to where this node has delivered a channel; undefined for one that it does not. */
type DeliveredOf = (channel: string) => Position | undefined;

interface Read {
  readonly page: Promise<HistoryPage>;
  /** When the last of those who ask gives up. */
  wantedUntil: number;
  /** What the one with the most room asks for. */
  bytes: number;
}

interface Asked {
  /** Those who ask under the same key share a read. */
  readonly key: string;
  readonly bytes: number;
  readonly ask: (bytes: number) => Promise<HistoryPage>;
}

/**
 * Reads histories for sessions. Those who ask for the same before it is read share one read; who
 * comes later shares it, too, unless it ended before what this node has delivered since (GAP).
 */
export class HistoryReads {
  readonly #log: Pick<ChannelLog, 'history' | 'page'>;
  readonly #clock: Clock;
  readonly #limit = new ConcurrencyLimit(LIMITS);
  readonly #waiting = new Map<string, Read>();
  readonly #recent: RecentPages;
  readonly #delivered: DeliveredOf;

  constructor(log: Pick<ChannelLog, 'history' | 'page'>, clock: Clock, delivered: DeliveredOf) {
    this.#log = log;
    this.#clock = clock;
    this.#recent = new RecentPages(clock);
    this.#delivered = delivered;
  }

  /** See `Broker.history`. */
  async read(
    channel: string,
    after: Position | undefined,
    extent: HistoryExtent,
  ): Promise<HistoryPage> {
    const { publications, bytes } = extent;
    const key = `${channel} ${after && toCursor(after)} ${publications}`;
    const page =
      this.#find(channel, after, extent) ??
      (await this.#share({
        key,
        bytes,
        ask: async (most) => this.#findOrRead(channel, after, { publications, bytes: most }),
      }));
    const fits = after === undefined || bytesOf(page) <= bytes;
    return fits ? page : { ...page, publications: [], complete: false };
  }

  /** See `ChannelLog.page`. */
  page(channel: string, after: Position): Promise<HistoryPage> {
    const ask = () => this.#log.page(channel, after);
    return this.#share({ key: `${channel} ${toCursor(after)}`, bytes: MAX_HISTORY_BYTES, ask });
  }

  close(): void {
    this.#recent.clear();
  }

  #find(
    channel: string,
    after: Position | undefined,
    extent: HistoryExtent,
  ): HistoryPage | undefined {
    if (after === undefined) return undefined;
    const delivered = this.#delivered(channel);
    return this.#recent.find(channel, { after, extent, delivered });
  }

  /** Another read may have brought it while this one waited. */
  async #findOrRead(
    channel: string,
    after: Position | undefined,
    extent: HistoryExtent,
  ): Promise<HistoryPage> {
    const found = this.#find(channel, after, extent);
    if (found !== undefined) return found;
    const page = await this.#log.history(channel, after, extent);
    if (after !== undefined) this.#recent.keep(channel, after, page);
    return page;
  }

  async #share(asked: Asked): Promise<HistoryPage> {
    const read = this.#waiting.get(asked.key) ?? this.#begin(asked);
    read.bytes = Math.max(read.bytes, asked.bytes);
    read.wantedUntil = this.#clock.monotonic() + TIMEOUT_MS;
    return await withDeadline(read.page, TIMEOUT_MS, 'reading history');
  }

  #begin({ key, ask }: Asked): Read {
    const page = this.#endOfTurn().then(() => this.#limit.run(begin, isWanted));
    const read: Read = { page, wantedUntil: 0, bytes: 0 };
    const forget = () => {
      if (this.#waiting.get(key) === read) this.#waiting.delete(key);
    };
    const isWanted = () => this.#clock.monotonic() < read.wantedUntil;
    const begin = () => {
      forget();
      return ask(read.bytes);
    };
    page.catch(forget);
    this.#waiting.set(key, read);
    return read;
  }

  /** A node that comes back after another's end is asked the same by many in one turn. */
  #endOfTurn(): Promise<void> {
    return new Promise((resolve) => this.#clock.defer(resolve));
  }
}

function bytesOf({ publications }: HistoryPage): number {
  return publications.reduce((sum, { body }) => sum + body.length, 0);
}
