import type { Clock } from '@leque/core';

/** Fetches at once, so that keys which rotate right after a fetch are found. */
const BURST = 3;
/** On average there is at most one fetch in this time. */
const REST_MS = 5_000;

/** How often something may be fetched. Attempts count, whether they succeed or not. */
export class FetchAllowance {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #fullAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  get available(): boolean {
    return this.#fullAt - this.#clock.monotonic() <= (BURST - 1) * REST_MS;
  }

  /** Takes one attempt. @returns false when none is left for now */
  take(): boolean {
    if (!this.available) return false;
    this.#fullAt = Math.max(this.#clock.monotonic(), this.#fullAt) + REST_MS;
    return true;
  }
}
