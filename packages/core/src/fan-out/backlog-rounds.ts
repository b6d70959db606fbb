import type { Cancel, Clock } from '../lib/clock.ts';
import type { Subscription } from './subscription.ts';

/** How soon a client that was too slow gets what waits for it. */
const ROUND_MS = 50;

/**
 * Gives clients what waits in their backlogs once they have read what was before it. The kernel
 * tells nobody that it has room again for a client, so this looks.
 */
export class BacklogRounds {
  readonly #clock: Clock;
  readonly #counters: { conflated: number; dropped: number };
  readonly #waiting = new Set<Subscription>();
  #cancelRound: Cancel | undefined;

  /** @param counters where the publications that were left out are counted */
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
