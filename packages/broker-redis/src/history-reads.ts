import {
  type Clock,
  ConcurrencyLimit,
  type HistoryExtent,
  type HistoryPage,
  MAX_HISTORY_BYTES,
} from '@leque/core';
import { type Position, toCursor } from '@leque/protocol';
import type { ChannelLog } from './channel-log.ts';
import { withDeadline } from './deadline.ts';

/** Many may come back at once, and wait for one another. */
const TIMEOUT_MS = 5000;
/**
 * Few run, as an answer may be long, and every other command waits behind those on their way; as
 * many may wait as Redis may answer in time.
 */
const LIMITS = { running: 16, waiting: 10_000 };

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
 * Reads histories for sessions. Those who ask for the same before it is read share one read; but
 * nobody joins one that has begun, as it may end before what this node has already delivered (GAP).
 */
export class HistoryReads {
  readonly #log: Pick<ChannelLog, 'history' | 'page'>;
  readonly #clock: Clock;
  readonly #limit = new ConcurrencyLimit(LIMITS);
  readonly #waiting = new Map<string, Read>();

  constructor(log: Pick<ChannelLog, 'history' | 'page'>, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** See `Broker.history`. */
  async read(
    channel: string,
    after: Position | undefined,
    { publications, bytes }: HistoryExtent,
  ): Promise<HistoryPage> {
    const key = `${channel} ${after && toCursor(after)} ${publications}`;
    const page = await this.#share({
      key,
      bytes,
      ask: (most) => this.#log.history(channel, after, { publications, bytes: most }),
    });
    const fits = after === undefined || bytesOf(page) <= bytes;
    return fits ? page : { ...page, publications: [], complete: false };
  }

  /** See `ChannelLog.page`. */
  page(channel: string, after: Position): Promise<HistoryPage> {
    const ask = () => this.#log.page(channel, after);
    return this.#share({ key: `${channel} ${toCursor(after)}`, bytes: MAX_HISTORY_BYTES, ask });
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
