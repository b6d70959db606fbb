import type { Clock } from './clock.ts';

const WINDOW_MS = 1000;

/** Limits the actions of one client per second, in fixed windows of a second. */
export class RateWindow {
  readonly #clock: Clock;
  readonly #perSecond: number;
  #windowStart = 0;
  #count = 0;

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
  }

  /**
   * @param actions how many actions to count; 0 only asks whether the limit is passed
   * @returns `ok` within the limit, `refuse` up to twice the limit, `close` beyond that
   */
  take(actions = 1): 'ok' | 'refuse' | 'close' {
    const now = Math.trunc(this.#clock.monotonic());
    if (now - this.#windowStart >= WINDOW_MS) {
      this.#windowStart = now;
      this.#count = 0;
    }
    this.#count += actions;
    if (this.#count <= this.#perSecond) return 'ok';
    return this.#count <= 2 * this.#perSecond ? 'refuse' : 'close';
  }
}
