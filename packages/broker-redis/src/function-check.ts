import { type Cancel, type Clock, every, type Telemetry } from '@leque/core';
import type { Redis } from 'ioredis';
import type { FunctionLibrary } from './function-library.ts';
import { isReply } from './redis-errors.ts';
import { StateKeys } from './state-keys.ts';

export interface FunctionCheckParts {
  readonly library: FunctionLibrary;
  readonly redis: Redis;
  readonly prefix: string;
  /** Whether this process takes clients; it stores events otherwise. */
  readonly receives: () => boolean;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

const PERIOD_MS = 1000;

/**
 * Loads the functions whenever Redis is back, and again for as long as it does not take them; and
 * proves once a second that it does what this process needs: one whose memory is full, or that has
 * become a replica, answers every PING and refuses that (HON).
 */
export class FunctionCheck {
  readonly #parts: FunctionCheckParts;
  readonly #stop: Cancel;
  #refusal: string | undefined;
  #reported: string | undefined;

  constructor(parts: FunctionCheckParts) {
    this.#parts = parts;
    const { redis, clock } = parts;
    redis.on('ready', () => void this.#check(true));
    this.#stop = every(clock, PERIOD_MS, () => {
      if (redis.status === 'ready') void this.#check(parts.library.problem !== undefined);
    });
  }

  /** Why Redis does not serve this process; undefined when it does. */
  get problem(): string | undefined {
    return this.#parts.library.problem ?? this.#refusal;
  }

  stop(): void {
    this.#stop();
  }

  async #check(load: boolean): Promise<void> {
    try {
      if (load) await this.#parts.library.load();
      await this.#callIdly();
      this.#refusal = undefined;
      this.#reported = undefined;
    } catch (error) {
      // That Redis is away is reported by its connection.
      if (isReply(error)) this.#refused(error);
    }
  }

  /** Calls what this process depends on in such a way that nothing changes. */
  async #callIdly(): Promise<void> {
    const { library, prefix, receives } = this.#parts;
    if (receives()) await library.call('leque_lease', new StateKeys(prefix).nodes, ['', 0]);
    else await library.call('leque_append', `${prefix}{all}`, []);
  }

  /** Reported once, not once a second. */
  #refused(error: Error): void {
    this.#refusal = `Redis refuses: ${error.message}`;
    const { problem } = this;
    if (problem === this.#reported) return;
    this.#reported = problem;
    this.#parts.telemetry.report({ type: 'failure', where: 'functions', error });
  }
}
