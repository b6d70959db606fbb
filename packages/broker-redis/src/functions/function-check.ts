import { type Cancel, type Clock, every, type Telemetry, withDeadline } from '@leque/core';
import type { Redis } from 'ioredis';
import { isReply } from '../connection/redis-errors.ts';
import { explainFunctions, type RedisFailure } from '../connection/redis-failures.ts';
import { COMMAND_DEADLINE_MS } from '../lib/deadline.ts';
import type { FunctionLibrary } from './function-library.ts';

export interface FunctionCheckDeps {
  readonly library: FunctionLibrary;
  readonly redis: Redis;
  /** A call that changes nothing, of a function that this process depends on. */
  readonly idleCall: () => IdleCall;
  /** Whether an error reply does not count as a refusal. */
  readonly ignores: (error: Error) => boolean;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

export type IdleCall = readonly [name: string, key: string, ...args: (string | number)[]];

const PERIOD_MS = 1000;

/**
 * Loads the functions on every new connection, and repeats that until Redis takes them. Proves once
 * a second that Redis serves this process: a server whose memory is full, or that has become a
 * replica, answers every PING and refuses writes (HON).
 */
export class FunctionCheck {
  readonly #deps: FunctionCheckDeps;
  readonly #stop: Cancel;
  #refusal: RedisFailure | undefined;
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
    return this.#failure?.sentence;
  }

  /** Why waiting for Redis cannot help; undefined when it can. */
  get refusal(): string | undefined {
    return this.#failure?.isFinal ? this.#failure.sentence : undefined;
  }

  get #failure(): RedisFailure | undefined {
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
      // The connection itself reports that Redis is away.
      if (isReply(error) && !this.#deps.ignores(error)) this.#refused(error);
    }
  }

  async #callIdly(): Promise<void> {
    const { library, idleCall } = this.#deps;
    const [name, key, ...args] = idleCall();
    const calling = library.run((redis) => redis.fcall(name, 1, key, ...args));
    await withDeadline(calling, COMMAND_DEADLINE_MS, name);
  }

  /** Reports a refusal once, not once a second. */
  #refused(error: Error): void {
    const { sentence, isFinal } = explainFunctions(error, undefined);
    this.#refusal = { sentence: isFinal ? sentence : `Redis refuses: ${sentence}`, isFinal };
    const { telemetry } = this.#deps;
    if (this.refusal !== undefined) {
      telemetry.report({ type: 'broker_refused', detail: this.refusal }); // until it is over
    } else if (this.problem !== this.#reported) {
      telemetry.report({ type: 'failure', where: 'functions', error });
    }
    this.#reported = this.problem;
  }
}
