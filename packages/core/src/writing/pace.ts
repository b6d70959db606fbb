import { WriteSums } from './write-sums.ts';

/** How often the window is chosen anew. */
const PERIOD_MS = 50;
/** How much the past counts for when a period is over, and how much of it there can be. */
const MEMORY = 0.65;
const MOST_REMEMBERED_MS = 200;
/** The windows to choose from, as multiples of the configured one. */
const STRETCHES = [1, 2, 3, 4] as const;
const MAX_STRETCH = 4;
/**
 * Share of the time that writing would take with the configured window: above the first value a
 * longer window is chosen, and below the second no longer.
 */
const STRETCH_ABOVE = 0.6;
const RELAX_BELOW = 0.45;
/** Share of the time that writing may take with a longer window, and less before it is shortened. */
const TARGET = 0.45;
const SHORTEN_BELOW = 0.4;
/** A longer window is chosen if it leaves at most the first share of the writes, and kept at the second. */
const WORTH_BELOW = 0.65;
const KEPT_BELOW = 0.9;
/** The end of a window is noticed so much later, on average. */
const TIMER_LAG_MS = 1;

/**
 * The pacing window: how long a busy socket waits for its next write. A write of twice the bytes
 * costs hardly more, so the window is longer where writing would take most of the time: at most
 * four times the configured one.
 *
 * The choice does not depend on the window in force. Each write tells how many writes it would have
 * been with each of the windows: no more than the turns of the event loop that brought something
 * for its socket, and no more than the windows that fit into the time since the write before.
 * Together with the time that writing takes this is the share of the time that it would take with
 * each window. So a process that is busy all the time, in which every socket is due whenever it is
 * touched and none waits, is judged like one whose sockets all wait.
 */
export class Pace {
  readonly #configuredMs: number;
  readonly #past: WriteSums;
  readonly #period: WriteSums;
  #periodStart = 0;
  /** Index in STRETCHES. */
  #stretch = 0;
  #windowMs: number;

  /** @param windowMs the configured window; 0 for no pacing */
  constructor(windowMs: number) {
    this.#configuredMs = windowMs;
    this.#windowMs = windowMs;
    const windowsMs = STRETCHES.map((stretch) => windowMs * stretch + TIMER_LAG_MS);
    this.#past = new WriteSums(windowsMs);
    this.#period = new WriteSums(windowsMs);
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

  /**
   * Counts a write to a socket.
   * @param sinceMs time since the last write to it; infinite for the first one
   * @param turns number of turns of the event loop since then that brought something for it
   */
  wrote(sinceMs: number, turns: number): void {
    this.#period.wrote(sinceMs, turns);
  }

  /**
   * Reports that writing took `ms`.
   * @param now the end of it, on the monotonic clock
   */
  spent(ms: number, now: number): void {
    this.#period.writingMs += ms;
    const elapsed = now - this.#periodStart;
    if (elapsed < PERIOD_MS) return;
    this.#periodStart = now;
    this.#period.elapsedMs = elapsed;
    this.#remember();
    this.#stretch = this.#wanted();
    this.#windowMs = this.#configuredMs * (STRETCHES[this.#stretch] ?? 1);
  }

  #remember(): void {
    const { elapsedMs } = this.#period;
    this.#past.fade(MEMORY ** (elapsedMs / PERIOD_MS));
    this.#period.fade(Math.min(1, MOST_REMEMBERED_MS / elapsedMs));
    this.#past.add(this.#period);
    this.#period.fade(0);
  }

  /** The shortest window with which writing takes little enough of the time. */
  #wanted(): number {
    const plain = this.#past.shareWith(0);
    if (plain <= (this.#stretch === 0 ? STRETCH_ABOVE : RELAX_BELOW)) return 0;
    let wanted = 1;
    while (wanted < STRETCHES.length - 1 && this.#past.shareWith(wanted) > this.#limit(wanted)) {
      wanted += 1;
    }
    const isWorthIt = plain * (this.#stretch === 0 ? WORTH_BELOW : KEPT_BELOW);
    return this.#past.shareWith(wanted) <= isWorthIt ? wanted : 0;
  }

  #limit(stretch: number): number {
    return stretch < this.#stretch ? SHORTEN_BELOW : TARGET;
  }
}
