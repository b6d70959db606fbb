import { type Cancel, type Clock, every } from '@leque/core';
import type { Redis } from 'ioredis';
import { type ClusterView, nameOf, readView } from './cluster-view.ts';
import { COMMAND_DEADLINE_MS, withDeadline } from './deadline.ts';
import { type ClusterAddress, endpointOf, type HostPort } from './redis-address.ts';

/** A server that can be asked at once. */
export interface ClusterSource {
  readonly address: HostPort;
  readonly ask: <T>(command: (redis: Redis) => Promise<T>) => Promise<T>;
}

export interface TopologyParts {
  readonly address: ClusterAddress;
  readonly clock: Clock;
  /** Those that are connected. */
  readonly sources: () => readonly ClusterSource[];
  /** Whether it looks as if something had changed. */
  readonly troubled: () => boolean;
  readonly changed: (view: ClusterView) => void;
}

const PERIOD_MS = 500;
/** How often it is read without a reason, in periods. */
const IDLE_PERIODS = 10;
const CONNECT_TIMEOUT_MS = 1000;

/** Who has which slots: read at the start, whenever something does not fit, and now and then. */
export class ClusterTopology {
  readonly #parts: TopologyParts;
  #known: readonly HostPort[];
  /** Who knows best, as it was named by one who has given a slot away. */
  #hint: string | undefined;
  #running: Promise<void> | undefined;
  #waiting: Promise<void> | undefined;
  #problem: string | undefined = 'the Cluster is not connected yet';
  #stop: Cancel | undefined;
  #periods = 0;

  constructor(parts: TopologyParts) {
    this.#parts = parts;
    this.#known = parts.address.hosts;
  }

  /** Why it is not known; undefined when it is. */
  get problem(): string | undefined {
    return this.#problem;
  }

  start(): void {
    this.#stop ??= every(this.#parts.clock, PERIOD_MS, () => {
      this.#periods += 1;
      if (this.#parts.troubled() || this.#periods % IDLE_PERIODS === 0) void this.refresh();
    });
  }

  stop(): void {
    this.#stop?.();
  }

  /**
   * Reads it as it is from now on; never fails.
   * @param hint `HOST:PORT` of the one to ask first
   */
  refresh(hint?: string): Promise<void> {
    this.#hint = hint ?? this.#hint;
    this.#waiting ??= this.#refreshNext();
    return this.#waiting;
  }

  /** One that runs already may have been answered before what is asked for now has happened. */
  async #refreshNext(): Promise<void> {
    await this.#running;
    this.#running = this.#waiting;
    this.#waiting = undefined;
    const hint = this.#hint;
    this.#hint = undefined;
    const view = (await this.#askConnected(hint)) ?? (await this.#askOthers());
    if (view === undefined) return;
    this.#problem = undefined;
    this.#known = view.servers;
    this.#parts.changed(view);
  }

  async #askConnected(hint: string | undefined): Promise<ClusterView | undefined> {
    const sources = shuffle(this.#parts.sources());
    const first = sources.filter(({ address }) => nameOf(address) === hint);
    for (const { address, ask } of new Set([...first, ...sources])) {
      const view = await this.#try(ask((redis) => readView(redis, address)));
      if (view !== undefined) return view;
    }
    return undefined;
  }

  /** Those that were named, and the replicas. */
  async #askOthers(): Promise<ClusterView | undefined> {
    const { hosts } = this.#parts.address;
    const connected = new Set(this.#parts.sources().map(({ address }) => nameOf(address)));
    const all = new Map([...this.#known, ...hosts].map((each) => [nameOf(each), each]));
    for (const each of shuffle([...all.values()])) {
      const view = connected.has(nameOf(each)) ? undefined : await this.#try(this.#askOnce(each));
      if (view !== undefined) return view;
    }
    return undefined;
  }

  async #askOnce(address: HostPort): Promise<ClusterView> {
    const redis = endpointOf(
      address,
      this.#parts.address,
    )({
      lazyConnect: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
      retryStrategy: () => null,
      enableReadyCheck: false,
      disableClientInfo: true,
    });
    redis.on('error', () => {}); // connecting fails with it
    try {
      await redis.connect();
      return await readView(redis, address);
    } finally {
      redis.disconnect();
    }
  }

  async #try(asking: Promise<ClusterView>): Promise<ClusterView | undefined> {
    try {
      return await withDeadline(asking, COMMAND_DEADLINE_MS, 'CLUSTER SLOTS');
    } catch (error) {
      this.#problem = `who has which slots cannot be read: ${String(error)}`;
      return undefined;
    }
  }
}

function shuffle<T>(items: readonly T[]): T[] {
  return items
    .map((item) => [Math.random(), item] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, item]) => item);
}
