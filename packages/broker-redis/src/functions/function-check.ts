import { type Cancel, type Clock, every, type Telemetry } from '@leque/core';
import type { Redis } from 'ioredis';
import { isReply } from '../connection/redis-errors.ts';
import { COMMAND_DEADLINE_MS, withDeadline } from '../lib/deadline.ts';
import type { FunctionLibrary } from './function-library.ts';

export interface FunctionCheckDeps {
  readonly library: FunctionLibrary;
  readonly redis: Redis;
  /** A call of what this process depends on, by which nothing changes. */
  readonly idleCall: () => IdleCall;
  /** What is no refusal. */
  readonly ignores: (error: Error) => boolean;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

export type IdleCall = readonly [name: string, key: string, ...args: (string | number)[]];

const PERIOD_MS = 1000;

/**
 * Loads the functions whenever Redis is back, and again for as long as it does not take them; and
 * proves once a second that it does what this process needs: one whose memory is full, or that has
 * become a replica, answers every PING and refuses that (HON).
 */
export class FunctionCheck {
  readonly #deps: FunctionCheckDeps;
  readonly #stop: Cancel;
  #refusal: string | undefined;
  #reported: string | undefined;

  constructor(deps: FunctionCheckDeps) {
    this.#deps = deps;
    const { redis, clock } = deps;
    redis.on('ready', () => void this.#check(true));
    this.#stop = every(clock, PERIOD_MS, () => {
      if (redis.status === 'ready') void this.#check(deps.library.problem !== undefined);
    });
  }

  /** Why Redis does not serve this process; undefined when it does. */
  get problem(): string | undefined {
    return this.#deps.library.problem ?? this.#refusal;
  }

  stop(): void {
    this.#stop();
  }

  async #check(load: boolean): Promise<void> {
    try {
      if (load) await this.#deps.library.load();
      await this.#callIdly();
      this.#refusal = undefined;
      this.#reported = undefined;
    } catch (error) {
      // That Redis is away is reported by its connection.
      if (isReply(error) && !this.#deps.ignores(error)) this.#refused(error);
    }
  }

  async #callIdly(): Promise<void> {
    const { library, idleCall } = this.#deps;
    const [name, key, ...args] = idleCall();
    const calling = library.run((redis) => redis.fcall(name, 1, key, ...args));
    await withDeadline(calling, COMMAND_DEADLINE_MS, name);
  }

  /** Reported once, not once a second. */
  #refused(error: Error): void {
    this.#refusal = `Redis refuses: ${explain(error)}`;
    const { problem } = this;
    if (problem === this.#reported) return;
    this.#reported = problem;
    this.#deps.telemetry.report({ type: 'failure', where: 'functions', error });
  }
}

function explain({ message }: Error): string {
  const isInCluster = /^(MOVED|CROSSSLOT|CLUSTERDOWN) /.test(message);
  return isInCluster ? `${message} (a Cluster takes redis+cluster:// in REDIS_URL)` : message;
}
