import { type Cancel, withDeadline } from '@leque/core';
import type { Endpoint } from '../connection/client-options.ts';
import type { Command } from '../connection/send-together.ts';
import type { SentinelWatch } from '../connection/sentinel-watch.ts';
import { StateKeys } from '../connection/state-keys.ts';
import { COMMAND_DEADLINE_MS } from '../lib/deadline.ts';
import { PlainPubSub } from './pub-sub.ts';
import type { LinkDeps, RedisLink, Subscriptions } from './redis-link.ts';
import { RedisServer, type ServerOptions } from './redis-server.ts';

export interface SingleLinkOptions {
  readonly endpoint: Endpoint;
  /** The sentinels that know the master, where there are some; closed with the link. */
  readonly watch?: SentinelWatch;
}

/** One server has everything: always the same, or the master that the sentinels name. */
export class SingleLink implements RedisLink {
  readonly #server: RedisServer;
  readonly #watch: SentinelWatch | undefined;

  constructor({ endpoint, watch }: SingleLinkOptions, deps: LinkDeps) {
    const { prefix, nodeId, limits, probes, telemetry, clock } = deps;
    const options: ServerOptions = {
      endpoint,
      name: '',
      limits,
      probes,
      pubSub: (redis) => new PlainPubSub(redis),
      probeChannel: () => `${prefix}{node:${nodeId}}`,
      idleCall: (receives) =>
        receives
          ? ['leque_lease', new StateKeys(prefix).nodes, '', 0]
          : ['leque_append', `${prefix}{all}`],
      ignores: () => false,
    };
    this.#server = new RedisServer(options, { telemetry, clock, wrongServer: () => {} });
    this.#watch = watch;
    watch?.onFailover(() => this.#server.leave('another server is the master now'));
  }

  get subscriptions(): Subscriptions {
    return this.#server.subscriber;
  }

  run<T>(_key: string, command: Command<T>): Promise<T> {
    return withDeadline(this.#server.run(command), COMMAND_DEADLINE_MS, 'Redis');
  }

  call(name: string, key: string, args: readonly (string | number)[]): Promise<unknown> {
    const calling = this.#server.call((redis) => redis.fcall(name, 1, key, ...args));
    return withDeadline(calling, COMMAND_DEADLINE_MS, name);
  }

  groupByServer<T>(items: readonly T[]): readonly (readonly T[])[] {
    return [items];
  }

  signal(redisChannel: string): Promise<unknown> {
    return this.run(redisChannel, (redis) => redis.publish(redisChannel, ''));
  }

  connect(): Promise<void> {
    return this.#server.connect();
  }

  receive(): Promise<void> {
    return this.#server.receive();
  }

  problems(): string[] {
    return this.#server.problems();
  }

  refusal(): string | undefined {
    return this.#server.refusal;
  }

  onConnected(listener: () => void): Cancel {
    return this.#server.onConnected(listener);
  }

  close(): void {
    this.#watch?.close();
    this.#server.close();
  }
}
