/** How often the window is adapted to the load. */
const PERIOD_MS = 50;
/**
 * Share of the time spent flushing: above the first the window grows, below the second it shrinks.
 */
const HIGH_LOAD = 0.5;
const LOW_LOAD = 0.35;
const STEP = 1.25;
const MAX_STRETCH = 4;

/**
 * The pacing window: how long a busy socket waits for its next write. While flushing takes more
 * than half of the time the window grows, to at most four times the configured one, because a write
 * of twice the bytes costs hardly more. It grows only while sockets do wait for it, because it
 * saves nothing on sockets that are written to less often anyway.
 */
export class Pace {
  readonly #configuredMs: number;
  #windowMs: number;
  #periodStart = 0;
  #busyMs = 0;
  #flushes = 0;
  #waits = 0;

  /** @param windowMs the configured window; 0 for no pacing */
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
   * How long publications gather before they are offered to sessions: 0 while the window is the
   * configured one, and rising to the configured window when the window is at its maximum.
   */
  get gatherMs(): number {
    return (this.#windowMs - this.#configuredMs) / (MAX_STRETCH - 1);
  }

  /** Counts an outbox that is flushed because it is due. */
  flushed(): void {
    this.#flushes += 1;
  }

  /** Counts an outbox that was touched within its window. */
  waits(): void {
    this.#waits += 1;
  }

  /**
   * Reports that flushing took `ms`.
   * @param now the end of it, on the monotonic clock
   */
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
