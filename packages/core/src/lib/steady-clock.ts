import type { Cancel, Clock } from './clock.ts';

/** NTP corrects a clock by less than this at a time; a larger difference is a jump. */
const JUMP_MS = 1000;
const ASK_AGAIN_MS = 5000;
/** A jump that nobody contradicts for this time counts: the clock may have been wrong before. */
const BELIEVE_MS = 60_000;

export interface SteadyClockDeps {
  readonly clock: Clock;
  /**
   * Asks another clock for its time in milliseconds since the Unix epoch; undefined when there is none.
   * May reject when that clock does not answer.
   */
  readonly witness: () => Promise<number> | undefined;
  /** Called once for each jump, with its size; negative when the clock was set back. */
  readonly onJump: (jumpMs: number) => void;
}

/**
 * A clock whose `now` does not follow a jump of the machine's clock until another clock confirms it.
 * Tokens are judged by this clock: a wrong time on one machine must not end the sessions there.
 */
export class SteadyClock implements Clock {
  readonly #deps: SteadyClockDeps;
  /** `now()` minus `monotonic()`, in milliseconds. */
  #offset: number;
  /**
   * When the jump was noticed, or was contradicted last; undefined while the machine's clock is
   * believed.
   */
  #doubtedAt: number | undefined;
  #asking = false;
  #closed = false;
  #cancelAsk: Cancel | undefined;

  constructor(deps: SteadyClockDeps) {
    this.#deps = deps;
    this.#offset = deps.clock.now() - deps.clock.monotonic();
  }

  now(): number {
    const wall = this.#deps.clock.now();
    const jumpMs = wall - this.#steady;
    if (Math.abs(jumpMs) > JUMP_MS) {
      if (this.#doubtedAt === undefined) this.#doubt(jumpMs);
      return Math.floor(this.#steady);
    }
    this.#offset += jumpMs;
    this.#doubtedAt = undefined;
    return wall;
  }

  monotonic(): number {
    return this.#deps.clock.monotonic();
  }

  after(delayMs: number, task: () => void): Cancel {
    return this.#deps.clock.after(delayMs, task);
  }

  defer(task: () => void): void {
    this.#deps.clock.defer(task);
  }

  /** Stops asking. */
  close(): void {
    this.#closed = true;
    this.#cancelAsk?.();
  }

  get #steady(): number {
    return this.#deps.clock.monotonic() + this.#offset;
  }

  #doubt(jumpMs: number): void {
    this.#doubtedAt = this.monotonic();
    this.#deps.onJump(Math.round(jumpMs));
    if (!this.#asking && !this.#closed) void this.#ask();
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    const witnessed = await this.#witness();
    if (this.#closed) return;
    if (this.#doubtedAt === undefined || this.#judge(witnessed, this.#doubtedAt)) {
      this.#believe();
      return;
    }
    if (witnessed !== undefined) this.#doubtedAt = this.monotonic();
    this.#cancelAsk = this.#deps.clock.after(ASK_AGAIN_MS, () => void this.#ask());
  }

  async #witness(): Promise<number | undefined> {
    try {
      return await this.#deps.witness();
    } catch {
      return undefined; // the witness is asked again
    }
  }

  /** Whether the machine's clock is right: nearer to the witness than the steady time. */
  #judge(witnessed: number | undefined, doubtedAt: number): boolean {
    if (witnessed === undefined) return this.monotonic() - doubtedAt >= BELIEVE_MS;
    const wall = this.#deps.clock.now();
    return Math.abs(witnessed - wall) < Math.abs(witnessed - this.#steady);
  }

  #believe(): void {
    this.#asking = false;
    if (this.#doubtedAt === undefined) return;
    this.#doubtedAt = undefined;
    this.#offset = this.#deps.clock.now() - this.monotonic();
  }
}
