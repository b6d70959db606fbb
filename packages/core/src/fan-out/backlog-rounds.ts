import type { Cancel, Clock } from '../lib/clock.ts';
import type { LeftOut } from './backlog.ts';

/** Interval at which backlogs are flushed to clients that have caught up. */
const ROUND_MS = 50;

/** Something that waits until a client reads again. */
export interface Backlogged {
  /** @returns how many publications were left out; undefined while it has to wait */
  flushBacklog(): LeftOut | undefined;
}

/**
 * Flushes backlogs to clients that read again. The kernel does not report that it has room for a
 * client again, so all that wait are checked at an interval.
 */
export class BacklogRounds {
  readonly #clock: Clock;
  readonly #counters: { conflated: number; dropped: number };
  readonly #waiting = new Set<Backlogged>();
  #cancelRound: Cancel | undefined;

  /** @param counters incremented for publications that were left out */
  constructor(clock: Clock, counters: { conflated: number; dropped: number }) {
    this.#clock = clock;
    this.#counters = counters;
  }

  readonly add = (backlogged: Backlogged): void => {
    this.#waiting.add(backlogged);
    this.#goLater();
  };

  remove(backlogged: Backlogged): void {
    this.#waiting.delete(backlogged);
  }

  close(): void {
    this.#cancelRound?.();
  }

  #goLater(): void {
    this.#cancelRound ??= this.#clock.after(ROUND_MS, () => {
      this.#cancelRound = undefined;
      for (const backlogged of this.#waiting) this.#flush(backlogged);
      if (this.#waiting.size > 0) this.#goLater();
    });
  }

  #flush(backlogged: Backlogged): void {
    const leftOut = backlogged.flushBacklog();
    if (leftOut === undefined) return;
    this.#counters.conflated += leftOut.conflated;
    this.#counters.dropped += leftOut.dropped;
    this.#waiting.delete(backlogged);
  }
}
