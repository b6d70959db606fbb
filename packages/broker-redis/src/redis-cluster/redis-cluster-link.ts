import type { Cancel } from '@leque/core';
import calculateSlot from 'cluster-key-slot';
import type { RedisClusterAddress } from '../connection/redis-address.ts';
import type { Command } from '../connection/send-together.ts';
import type { LinkDeps, RedisLink } from '../link/redis-link.ts';
import type { RedisServer } from '../link/redis-server.ts';
import { BusBarrier } from './bus-barrier.ts';
import { Masters } from './masters.ts';
import { SlotRouter } from './slot-router.ts';
import { SlotSubscriptions } from './slot-subscriptions.ts';
import { Topology } from './topology.ts';
import type { TopologyView } from './topology-view.ts';

/** Reaches a Redis Cluster: each key and each channel at the master that has its slot. */
export class RedisClusterLink implements RedisLink {
  readonly subscriptions: SlotSubscriptions;
  readonly #masters: Masters;
  readonly #topology: Topology;
  readonly #router: SlotRouter;
  readonly #barrier: BusBarrier;
  readonly #listeners = new Set<() => void>();
  #phase: 'described' | 'connected' | 'receiving' = 'described';

  constructor(address: RedisClusterAddress, deps: LinkDeps) {
    const { clock, prefix, nodeId } = deps;
    this.#masters = new Masters({
      ...deps,
      address,
      wrongServer: (hint) => void this.#topology.refresh(hint),
      opened: (server) => this.#opened(server),
    });
    this.#topology = new Topology({
      address,
      clock,
      sources: () => this.#sources(),
      troubled: () => this.problems().length > 0,
      changed: (view) => this.#changed(view),
    });
    this.#router = new SlotRouter({ masters: this.#masters, topology: this.#topology, clock });
    this.#barrier = new BusBarrier({
      redisChannel: `${prefix}node:${nodeId}`,
      onEachMaster: (command) => this.#masters.all.map(({ server }) => server.run(command)),
      clock,
    });
    this.subscriptions = new SlotSubscriptions({
      subscriberOf: (slot) => this.#masters.ownerOf(slot)?.server.subscriber,
      barrier: this.#barrier,
      all: () => this.#masters.all.map(({ server }) => server.subscriber),
    });
  }

  run<T>(key: string, command: Command<T>): Promise<T> {
    return this.#router.run(key, command, (server, attempt) => server.run(attempt));
  }

  call(name: string, key: string, args: readonly (string | number)[]): Promise<unknown> {
    const command: Command<unknown> = (redis) => redis.fcall(name, 1, key, ...args);
    return this.#router.run(key, command, (server, attempt) => server.call(attempt));
  }

  /** Keys whose master is unknown are a group as well: what is sent to them says why it fails. */
  groupByServer<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly T[])[] {
    const groups = Map.groupBy(items, (item) => this.#masters.ownerOf(calculateSlot(keyOf(item))));
    return [...groups.values()];
  }

  signal(redisChannel: string): Promise<unknown> {
    return this.run(redisChannel, (redis) => redis.spublish(redisChannel, ''));
  }

  async connect(): Promise<void> {
    if (this.#phase === 'described') this.#phase = 'connected';
    await this.#start((server) => server.connect());
  }

  async receive(): Promise<void> {
    this.#phase = 'receiving';
    await this.#start((server) => server.receive());
  }

  problems(): string[] {
    const { uncovered, all } = this.#masters;
    const { problem } = this.#topology;
    if (all.length === 0) return [problem ?? 'the Redis Cluster has no masters'];
    const lacking = uncovered > 0 ? [`no master is known for ${uncovered} slots`] : [];
    const ofMasters = all.flatMap(({ server }) => server.problems());
    const ofBus = this.#barrier.problem === undefined ? [] : [this.#barrier.problem];
    return [...lacking, ...ofMasters, ...ofBus];
  }

  refusal(): string | undefined {
    const { all } = this.#masters;
    if (all.length === 0) return this.#topology.refusal;
    return all.map(({ server }) => server.refusal).find((each) => each !== undefined);
  }

  onConnected(listener: () => void): Cancel {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    this.#topology.stop();
    this.#barrier.stop();
    this.#masters.close();
  }

  async #start(begin: (server: RedisServer) => Promise<void>): Promise<void> {
    this.#topology.start();
    await this.#topology.refresh();
    await Promise.all(this.#masters.all.map(({ server }) => begin(server)));
  }

  #opened(server: RedisServer): void {
    server.onConnected(() => {
      for (const listener of this.#listeners) listener();
    });
    server.onLost(() => void this.#topology.refresh());
    void (this.#phase === 'receiving' ? server.receive() : server.connect());
  }

  #changed(view: TopologyView): void {
    this.#masters.apply(view, (slot, from) => {
      this.subscriptions.moved(slot, from?.server.subscriber);
    });
  }

  #sources() {
    const ready = this.#masters.all.filter(({ server }) => server.ready);
    return ready.map(({ address, server }) => ({
      address,
      ask: <T>(command: Command<T>) => server.run(command),
    }));
  }
}
