const EVERY_MS = 100;
/** Shorter lags do not matter for bounds of seconds. */
const WORTH_TELLING_MS = 1000;

/** Measures how late timers fire: on an overloaded machine measured times mean little. */
export class TimerLag implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #lookedAt = performance.now();
  #worstMs = 0;

  constructor() {
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
  }

  /** A note for the report, if the lag was large. */
  lines(): string[] {
    this.#look();
    if (this.#worstMs < WORTH_TELLING_MS) return [];
    const seconds = (this.#worstMs / 1000).toFixed(1);
    return [
      `this machine was overloaded: timers were up to ${seconds} s late, so times mean little`,
    ];
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    this.#worstMs = Math.max(this.#worstMs, now - this.#lookedAt - EVERY_MS);
    this.#lookedAt = now;
  }
}
