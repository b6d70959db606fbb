const EVERY_MS = 100;
/** What is less than that is nothing that bounds of seconds would notice. */
const WORTH_TELLING_MS = 1000;

/** Whether this machine had time for what is verified: else it says little about how long things took. */
export class TimerLag implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #lookedAt = performance.now();
  #worstMs = 0;

  constructor() {
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
  }

  /** A remark for the report, if there is something to remark. */
  lines(): string[] {
    this.#look();
    if (this.#worstMs < WORTH_TELLING_MS) return [];
    const seconds = (this.#worstMs / 1000).toFixed(1);
    return [`this machine was busy: timers were up to ${seconds} s late, times say little`];
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
