import type { Clock, HistoryPage } from '@leque/core';
import { type Position, toCursor } from '@leque/protocol';
import type { ChannelLog } from './channel-log.ts';
import { ConcurrencyLimit } from './concurrency-limit.ts';
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
  read(channel: string, after: Position | undefined, limit: number): Promise<HistoryPage> {
    const key = `${channel} ${after && toCursor(after)} ${limit}`;
    return this.#share(key, () => this.#log.history(channel, after, limit));
  }

  /** See `ChannelLog.page`. */
  page(channel: string, after: Position): Promise<HistoryPage> {
    return this.#share(`${channel} ${toCursor(after)}`, () => this.#log.page(channel, after));
  }

  async #share(key: string, ask: () => Promise<HistoryPage>): Promise<HistoryPage> {
    const read = this.#waiting.get(key) ?? this.#begin(key, ask);
    read.wantedUntil = this.#clock.monotonic() + TIMEOUT_MS;
    return await withDeadline(read.page, TIMEOUT_MS, 'reading history');
  }

  #begin(key: string, ask: () => Promise<HistoryPage>): Read {
    const page = this.#endOfTurn().then(() => this.#limit.run(begin, isWanted));
    const read: Read = { page, wantedUntil: 0 };
    const forget = () => {
      if (this.#waiting.get(key) === read) this.#waiting.delete(key);
    };
    const isWanted = () => this.#clock.monotonic() < read.wantedUntil;
    const begin = () => {
      forget();
      return ask();
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
