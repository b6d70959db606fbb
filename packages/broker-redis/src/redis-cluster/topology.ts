import { type Cancel, type Clock, every, withDeadline } from '@leque/core';
import type { Redis } from 'ioredis';
import { endpointOf } from '../connection/client-options.ts';
import type { HostPort, RedisClusterAddress } from '../connection/redis-address.ts';
import { explainFailure, type RedisFailure } from '../connection/redis-failures.ts';
import { COMMAND_DEADLINE_MS } from '../lib/deadline.ts';
import { hostPortOf, nameOf, readView, type TopologyView } from './topology-view.ts';

/** A server with an open connection. */
export interface TopologySource {
  readonly address: HostPort;
  readonly ask: <T>(command: (redis: Redis) => Promise<T>) => Promise<T>;
}

export interface TopologyDeps {
  readonly address: RedisClusterAddress;
  readonly clock: Clock;
  /** The servers with an open connection. */
  readonly sources: () => readonly TopologySource[];
  /** Whether problems suggest that something has changed. */
  readonly troubled: () => boolean;
  readonly changed: (view: TopologyView) => void;
}

const PERIOD_MS = 500;
/** Periods between reads that have no other reason. */
const IDLE_PERIODS = 10;
const CONNECT_TIMEOUT_MS = 1000;

/** Reads which master has which slots: at the start, on redirections and problems, and regularly. */
export class Topology {
  readonly #deps: TopologyDeps;
  #known: readonly HostPort[];
  /** `HOST:PORT` of the server to ask first: a redirection has named it. */
  #hint: string | undefined;
  #running: Promise<void> | undefined;
  #waiting: Promise<void> | undefined;
  #problem: RedisFailure | undefined = {
    sentence: 'the Redis Cluster is not connected yet',
    isFinal: false,
  };
  #stop: Cancel | undefined;
  #periods = 0;
  #stopped = false;

  constructor(deps: TopologyDeps) {
    this.#deps = deps;
    this.#known = deps.address.hosts;
  }

  /** Why the topology is not known; undefined when it is. */
  get problem(): string | undefined {
    return this.#problem?.sentence;
  }

  /** Why waiting for an answer cannot help; undefined when it can. */
  get refusal(): string | undefined {
    return this.#problem?.isFinal ? this.#problem.sentence : undefined;
  }

  start(): void {
    this.#stop ??= every(this.#deps.clock, PERIOD_MS, () => {
      this.#periods += 1;
      if (this.#deps.troubled() || this.#periods % IDLE_PERIODS === 0) void this.refresh();
    });
  }

  stop(): void {
    this.#stop?.();
    this.#stopped = true;
  }

  /**
   * Reads the topology as it is from now on; never fails.
   * @param hint `HOST:PORT` of the server to ask first
   */
  refresh(hint?: string): Promise<void> {
    this.#hint = hint ?? this.#hint;
    this.#waiting ??= this.#refreshNext();
    return this.#waiting;
  }

  /** Waits for a running read: its answer may be older than the reason for this one. */
  async #refreshNext(): Promise<void> {
    await this.#running;
    this.#running = this.#waiting;
    this.#waiting = undefined;
    const hint = this.#hint;
    this.#hint = undefined;
    const view = await this.#firstAnswer(this.#candidates(hint));
    if (view === undefined || this.#stopped) return;
    this.#problem = undefined;
    this.#known = view.servers;
    this.#deps.changed(view);
  }

  /** The hint, the connected servers, then all others that are known. */
  #candidates(hint: string | undefined): HostPort[] {
    const connected = shuffle(this.#deps.sources().map(({ address }) => address));
    const others = shuffle([...this.#known, ...this.#deps.address.hosts]);
    return [...(hint === undefined ? [] : [hostPortOf(hint)]), ...connected, ...others];
  }

  async #firstAnswer(candidates: readonly HostPort[]): Promise<TopologyView | undefined> {
    const asked = new Set<string>();
    for (const each of candidates) {
      if (asked.has(nameOf(each)) || this.#stopped) continue;
      asked.add(nameOf(each));
      const view = await this.#ask(each);
      if (view !== undefined) return view;
    }
    return undefined;
  }

  async #ask(address: HostPort): Promise<TopologyView | undefined> {
    const name = nameOf(address);
    const connected = this.#deps.sources().find((source) => nameOf(source.address) === name);
    const asking = connected?.ask((redis) => readView(redis, address)) ?? this.#askOnce(address);
    try {
      return await withDeadline(asking, COMMAND_DEADLINE_MS, 'CLUSTER SLOTS');
    } catch (error) {
      this.#problem = explain(error, address) ?? {
        sentence: `${name} does not answer who has which slots: ${String(error)}`,
        isFinal: false,
      };
      return undefined;
    }
  }

  async #askOnce(address: HostPort): Promise<TopologyView> {
    const redis = endpointOf(
      address,
      this.#deps.address,
    )({
      lazyConnect: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
      retryStrategy: () => null,
      enableReadyCheck: false,
      disableClientInfo: true,
    });
    let reason: Error | undefined; // connect() rejects without it
    redis.on('error', (error: Error) => {
      reason = error;
    });
    try {
      await redis.connect();
      return await readView(redis, address);
    } catch (error) {
      throw reason ?? error;
    } finally {
      redis.disconnect();
    }
  }
}

function explain(error: unknown, { host, port }: HostPort): RedisFailure | undefined {
  return error instanceof Error ? explainFailure(error, { options: { host, port } }) : undefined;
}

function shuffle<T>(items: readonly T[]): T[] {
  return items
    .map((item) => [Math.random(), item] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, item]) => item);
}
