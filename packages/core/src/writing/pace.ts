/** How often the window is fitted to the load. */
const PERIOD_MS = 50;
/** Shares of the time that flushing takes: above the first the window grows, below the second it shrinks. */
const HIGH_LOAD = 0.5;
const LOW_LOAD = 0.35;
const STEP = 1.25;
const MAX_STRETCH = 4;

/**
 * How long a busy socket waits for its next write. While flushing takes half of the time the window
 * grows, to at most four times what is configured: what costs is the write, and one that carries
 * twice as much costs hardly more. It grows only while sockets do wait for it, as it brings nothing
 * to those that are written to less often anyway.
 */
export class Pace {
  readonly #configuredMs: number;
  #windowMs: number;
  #periodStart = 0;
  #busyMs = 0;
  #flushes = 0;
  #waits = 0;

  /** @param windowMs as configured; 0 for no pacing */
  constructor(windowMs: number) {
    this.#configuredMs = windowMs;
    this.#windowMs = windowMs;
  }

  get windowMs(): number {
    return this.#windowMs;
  }

  get maxWindowMs(): number {
    return this.#configuredMs * MAX_STRETCH;
  }

  /**
   * How long publications gather before they are offered to sessions: nothing while the window is
   * what is configured, and as long as that when it has grown as far as it may.
   */
  get gatherMs(): number {
    return (this.#windowMs - this.#configuredMs) / (MAX_STRETCH - 1);
  }

  /** An outbox was due; it is flushed. */
  flushed(): void {
    this.#flushes += 1;
  }

  /** An outbox was touched within its window. */
  waits(): void {
    this.#waits += 1;
  }

  /** Flushing took `ms` until `now`, on the monotonic clock. */
  spent(ms: number, now: number): void {
    this.#busyMs += ms;
    const elapsed = now - this.#periodStart;
    if (elapsed < PERIOD_MS) return;
    this.#fit(this.#busyMs / elapsed);
    this.#periodStart = now;
    this.#busyMs = 0;
    this.#flushes = 0;
    this.#waits = 0;
  }

  #fit(load: number): void {
    const isWaitedFor = this.#waits > this.#flushes / 2;
    if (load > HIGH_LOAD && isWaitedFor) {
      this.#windowMs = Math.min(this.maxWindowMs, this.#windowMs * STEP);
    } else if (load < LOW_LOAD) {
      this.#windowMs = Math.max(this.#configuredMs, this.#windowMs / STEP);
    }
  }
}
