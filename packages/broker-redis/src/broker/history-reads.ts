import {
  type Clock,
  ConcurrencyLimit,
  type HistoryExtent,
  type HistoryPage,
  withDeadline,
} from '@leque/core';
import { type Position, toCursor } from '@leque/protocol';
import type { ChannelLog } from './channel-log.ts';
import { bytesOf, RecentPages } from './recent-pages.ts';

/** Many clients may come back at once and wait for one another. */
const TIMEOUT_MS = 5000;
/**
 * Few reads run at once, because an answer may be long and delays every other command. As many may
 * wait as Redis can answer in time.
 */
const LIMITS = { running: 16, waiting: 10_000 };

/** Returns up to where this node has delivered a channel; undefined when it is not subscribed. */
type DeliveredOf = (channel: string) => Position | undefined;

interface SharedRead {
  readonly page: Promise<HistoryPage>;
  /** When the last caller gives up, on the monotonic clock. */
  neededUntil: number;
  /** The largest size that a caller takes. */
  bytes: number;
}

interface HistoryQuery {
  /** Queries with the same key share a read. */
  readonly key: string;
  readonly bytes: number;
  readonly ask: (bytes: number) => Promise<HistoryPage>;
}

/**
 * Reads histories for sessions. Callers that ask for the same history before it is read share one
 * read. Later callers share it as well, unless it ended before what this node has delivered since
 * (GAP).
 */
export class HistoryReads {
  readonly #log: Pick<ChannelLog, 'history' | 'page'>;
  readonly #clock: Clock;
  readonly #limit = new ConcurrencyLimit(LIMITS);
  readonly #waiting = new Map<string, SharedRead>();
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
    const fits = after === undefined || bytesOf(page.publications) <= bytes;
    return fits ? page : { ...page, publications: [], complete: false, tooLarge: true };
  }

  /** See `ChannelLog.page`. */
  page(channel: string, after: Position, extent: HistoryExtent): Promise<HistoryPage> {
    const { publications, bytes } = extent;
    const key = `${channel} ${toCursor(after)} page ${publications} ${bytes}`;
    return this.#share({ key, bytes, ask: () => this.#log.page(channel, after, extent) });
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

  /** Looks again before it reads: another read may have brought the page meanwhile. */
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

  async #share(query: HistoryQuery): Promise<HistoryPage> {
    const read = this.#waiting.get(query.key) ?? this.#begin(query);
    read.bytes = Math.max(read.bytes, query.bytes);
    read.neededUntil = this.#clock.monotonic() + TIMEOUT_MS;
    return await withDeadline(read.page, TIMEOUT_MS, 'reading history');
  }

  #begin({ key, ask }: HistoryQuery): SharedRead {
    const page = this.#endOfTurn().then(() => this.#limit.run(begin, isNeeded));
    const read: SharedRead = { page, neededUntil: 0, bytes: 0 };
    const forget = () => {
      if (this.#waiting.get(key) === read) this.#waiting.delete(key);
    };
    const isNeeded = () => this.#clock.monotonic() < read.neededUntil;
    const begin = () => {
      forget();
      return ask(read.bytes);
    };
    page.catch(forget);
    this.#waiting.set(key, read);
    return read;
  }

  /** When another node has ended, many clients ask this one the same in one turn. */
  #endOfTurn(): Promise<void> {
    return new Promise((resolve) => this.#clock.defer(resolve));
  }
}
