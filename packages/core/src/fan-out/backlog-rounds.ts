import type { Cancel, Clock } from '../lib/clock.ts';
import type { Subscription } from './subscription.ts';

/** Interval at which backlogs are flushed to clients that have caught up. */
const ROUND_MS = 50;

/**
 * Flushes backlogs to clients that read again. The kernel does not report that it has room for a
 * client again, so all waiting subscriptions are checked at an interval.
 */
export class BacklogRounds {
  readonly #clock: Clock;
  readonly #counters: { conflated: number; dropped: number };
  readonly #waiting = new Set<Subscription>();
  #cancelRound: Cancel | undefined;

  /** @param counters incremented for publications that were left out */
  constructor(clock: Clock, counters: { conflated: number; dropped: number }) {
    this.#clock = clock;
    this.#counters = counters;
  }

  readonly add = (subscription: Subscription): void => {
    this.#waiting.add(subscription);
    this.#goLater();
  };

  remove(subscription: Subscription): void {
    this.#waiting.delete(subscription);
  }

  close(): void {
    this.#cancelRound?.();
  }

  #goLater(): void {
    this.#cancelRound ??= this.#clock.after(ROUND_MS, () => {
      this.#cancelRound = undefined;
      for (const subscription of this.#waiting) this.#flush(subscription);
      if (this.#waiting.size > 0) this.#goLater();
    });
  }

  #flush(subscription: Subscription): void {
    const leftOut = subscription.flushBacklog();
    if (leftOut === undefined) return;
    this.#counters.conflated += leftOut.conflated;
    this.#counters.dropped += leftOut.dropped;
    this.#waiting.delete(subscription);
  }
}
