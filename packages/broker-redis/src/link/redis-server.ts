import { type Cancel, withDeadline } from '@leque/core';
import type { Redis } from 'ioredis';
import type { Endpoint } from '../connection/client-options.ts';
import { RedisConnection } from '../connection/redis-connection.ts';
import { type Command, sendTogether } from '../connection/send-together.ts';
import { FunctionCheck, type IdleCall } from '../functions/function-check.ts';
import { FunctionLibrary, type LibraryOptions } from '../functions/function-library.ts';
import { Probe } from './probe.ts';
import type { ProbeCounts } from './probe-counts.ts';
import type { PubSub } from './pub-sub.ts';
import { RedisSubscriber, type SubscriberDeps } from './redis-subscriber.ts';

export interface ServerOptions {
  readonly endpoint: Endpoint;
  /** Names the server where there are several; else empty. */
  readonly name: string;
  readonly limits: LibraryOptions;
  readonly probes: ProbeCounts;
  /** How the connection that receives subscribes. */
  readonly pubSub: (redis: Redis) => PubSub;
  /** See `ProbeDeps.redisChannel`. */
  readonly probeChannel: () => string;
  /** See `FunctionCheckDeps.idleCall`. */
  readonly idleCall: (receives: boolean) => IdleCall;
  /** See `FunctionCheckDeps.ignores`. */
  readonly ignores: (error: Error) => boolean;
}

/** One server that takes writes. It has two connections: one sends commands, the other receives. */
export class RedisServer {
  readonly subscriber: RedisSubscriber;
  readonly #name: string;
  readonly #commands: RedisConnection;
  readonly #subscribing: RedisConnection;
  readonly #library: FunctionLibrary;
  readonly #check: FunctionCheck;
  readonly #probe: Probe;
  #receiving: Promise<void> | undefined;

  constructor(options: ServerOptions, deps: SubscriberDeps) {
    const { endpoint, name, limits, pubSub, probeChannel, probes } = options;
    this.#name = name;
    this.#commands = new RedisConnection({ endpoint, role: 'commands', server: name }, deps);
    const subscribing = new RedisConnection({ endpoint, role: 'subscriber', server: name }, deps);
    this.#subscribing = subscribing;
    this.subscriber = new RedisSubscriber(subscribing, pubSub(subscribing.redis), deps);
    const { redis } = this.#commands;
    this.#library = new FunctionLibrary(redis, limits, deps.telemetry);
    this.#check = new FunctionCheck({
      library: this.#library,
      redis,
      idleCall: () => options.idleCall(this.#receiving !== undefined),
      ignores: options.ignores,
      ...deps,
    });
    this.#probe = new Probe({
      redisChannel: probeChannel,
      publish: (redisChannel, payload) =>
        this.#library.run((redis) => redis.fcall('leque_probe', 1, redisChannel, payload)),
      commands: this.#commands,
      subscriber: this.subscriber,
      subscribing,
      counts: probes,
      clock: deps.clock,
    });
  }

  get ready(): boolean {
    return this.#commands.ready;
  }

  /** Empty when the server answers and, after `receive`, every channel is subscribed. */
  problems(): string[] {
    const receives = this.#receiving !== undefined;
    const connections = receives ? [this.#commands, this.#subscribing] : [this.#commands];
    const broken = connections.filter((each) => !each.ready);
    if (broken.length > 0) return [...new Set(broken.map((each) => each.problem))];
    const problems = this.#problemsOfService(receives);
    return this.#named(problems);
  }

  #named(problems: readonly string[]): string[] {
    return problems.map((problem) => (this.#name === '' ? problem : `${this.#name}: ${problem}`));
  }

  /** A refusal is the one reason of all others. */
  #problemsOfService(receives: boolean): string[] {
    if (this.#check.refusal !== undefined) return [this.#check.refusal];
    const received = receives ? (this.subscriber.problem ?? this.#probe.problem) : undefined;
    return [this.#check.problem, received].filter((problem) => problem !== undefined);
  }

  /** Why waiting for the server cannot help; undefined when it can. */
  get refusal(): string | undefined {
    const ofConnections = [this.#commands, this.#subscribing].map(({ refusal }) => refusal);
    const ofService = [this.#check.refusal, this.subscriber.refusal, this.#probe.refusal];
    const [ofConnection] = ofConnections.filter((each) => each !== undefined);
    return ofConnection ?? this.#named(ofService.filter((each) => each !== undefined))[0];
  }

  run<T>(command: Command<T>): Promise<T> {
    return sendTogether(this.#commands.redis, command);
  }

  /** Runs a command that calls Leque's functions. */
  call<T>(command: Command<T>): Promise<T> {
    return this.#library.run(command);
  }

  /** Waits a few seconds at most; never fails. */
  async connect(): Promise<void> {
    await this.#commands.connect();
    await this.#library.load().catch(() => {}); // problems() has the reason
  }

  /** Waits up to `ms` for the first connection, when there was none yet; never fails. */
  async waitForConnection(ms: number): Promise<void> {
    await withDeadline(this.#commands.connect(), ms, 'connecting').catch(() => {});
  }

  /** Waits a few seconds at most; never fails. */
  receive(): Promise<void> {
    this.#receiving ??= this.#receive();
    return this.#receiving;
  }

  onConnected(listener: () => void): Cancel {
    const { redis } = this.#commands;
    redis.on('ready', listener);
    return () => void redis.off('ready', listener);
  }

  onLost(listener: () => void): void {
    for (const { redis } of [this.#commands, this.#subscribing]) redis.on('close', listener);
  }

  /** Renames what has to be in a slot of this server. */
  slotsChanged(): void {
    this.#probe.follow();
  }

  /** Connects to the server to which the endpoint leads now; `reason` is reported. */
  leave(reason: string): void {
    for (const each of [this.#commands, this.#subscribing]) each.leave(reason);
  }

  close(): void {
    this.#check.stop();
    this.#probe.stop();
    this.subscriber.close();
    for (const each of [this.#commands, this.#subscribing]) each.close();
  }

  async #receive(): Promise<void> {
    this.#probe.start();
    await Promise.all([this.connect(), this.#subscribing.connect()]);
  }
}
