import type { Clock } from './clock.ts';

const WINDOW_MS = 1000;

/** Counts one connection's commands per second: first a warning, then the end. */
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
   * `close` when a client goes on, with as many again in the same second.
   * @param commands how many a command that asks for much counts for
   */
  take(commands = 1): 'ok' | 'refuse' | 'close' {
    const now = this.#clock.now();
    if (now - this.#windowStart >= WINDOW_MS) {
      this.#windowStart = now;
      this.#count = 0;
    }
    this.#count += commands;
    if (this.#count <= this.#perSecond) return 'ok';
    return this.#count <= 2 * this.#perSecond ? 'refuse' : 'close';
  }
}
