import { Type } from 'typebox';
import type { Clock } from '../lib/clock.ts';
import { RateWindow } from '../lib/rate-window.ts';

export const CommandSettings = Type.Object({
  COMMAND_RATE: Type.Integer({
    default: 100,
    minimum: 1,
    maximum: 10_000,
    description:
      'commands of one client that are carried out per second in the long run; others wait in line',
  }),
  COMMAND_BURST: Type.Integer({
    default: 100,
    minimum: 1,
    maximum: 10_000,
    description: 'commands of one client that are carried out at once after a quiet time',
  }),
});

export interface CommandLimits {
  readonly perSecond: number;
  readonly burst: number;
}

/** Commands of one client that may be refused in a second; the client is closed at more. */
const REFUSALS_PER_SECOND = 100;

/** The pace of one client's commands: a token bucket. What is taken may exceed what is left. */
export class CommandPace {
  readonly #clock: Clock;
  readonly #limits: CommandLimits;
  readonly #refusals: RateWindow;
  #left: number;
  #filledAt: number;

  constructor(clock: Clock, limits: CommandLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#refusals = new RateWindow(clock, REFUSALS_PER_SECOND);
    this.#left = limits.burst;
    this.#filledAt = clock.monotonic();
  }

  /** Milliseconds until the next command may be carried out; 0 when it may be now. */
  get waitMs(): number {
    this.#fill();
    return this.#left >= 1 ? 0 : Math.ceil(((1 - this.#left) * 1000) / this.#limits.perSecond);
  }

  take(commands: number): void {
    this.#fill();
    this.#left -= commands;
  }

  /** Counts a command that is refused. @returns false when the client does not stop */
  mayRefuse(): boolean {
    return this.#refusals.take() === 'ok';
  }

  #fill(): void {
    const now = this.#clock.monotonic();
    const { perSecond, burst } = this.#limits;
    this.#left = Math.min(burst, this.#left + ((now - this.#filledAt) * perSecond) / 1000);
    this.#filledAt = now;
  }
}
