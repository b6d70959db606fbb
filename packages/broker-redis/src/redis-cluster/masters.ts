import type { Clock } from '@leque/core';
import { endpointOf } from '../connection/client-options.ts';
import type { HostPort, RedisClusterAddress } from '../connection/redis-address.ts';
import { redirectionOf } from '../connection/redis-errors.ts';
import type { LinkDeps } from '../link/redis-link.ts';
import { RedisServer } from '../link/redis-server.ts';
import { ShardedPubSub } from './sharded-pub-sub.ts';
import { SlotName } from './slot-name.ts';
import { hostPortOf, nameOf, SLOTS, type SlotRange, type TopologyView } from './topology-view.ts';

export interface MastersDeps extends LinkDeps {
  readonly address: RedisClusterAddress;
  /** Called when a master does not have a slot; `hint` is the `HOST:PORT` to ask where it is. */
  readonly wrongServer: (hint: string) => void;
  readonly opened: (server: RedisServer) => void;
}

/** A server that has slots, or is importing its first one. */
export interface Master {
  readonly address: HostPort;
  readonly server: RedisServer;
  slots: number;
  /** When it was last named as importing a slot, on the monotonic clock. */
  importingAt: number;
}

/** How long to keep a connection to a node that is importing its first slot. */
const IMPORTING_MS = 60_000;

/** The masters of a Redis Cluster with their connections, and which of them has which slot. */
export class Masters {
  readonly #deps: MastersDeps;
  readonly #clock: Clock;
  readonly #byName = new Map<string, Master>();
  readonly #owners: (Master | undefined)[] = new Array(SLOTS).fill(undefined);

  constructor(deps: MastersDeps) {
    this.#deps = deps;
    this.#clock = deps.clock;
  }

  get all(): readonly Master[] {
    return [...this.#byName.values()];
  }

  /** The number of slots for which no master is known. */
  get uncovered(): number {
    return SLOTS - this.all.reduce((sum, { slots }) => sum + slots, 0);
  }

  ownerOf(slot: number): Master | undefined {
    return this.#owners[slot];
  }

  /** @param address `HOST:PORT` of a server that is importing a slot */
  importingNode(address: string): Master {
    const isNew = !this.#byName.has(address);
    const node = this.#at(hostPortOf(address));
    node.importingAt = this.#clock.monotonic();
    if (isNew) this.#deps.opened(node.server);
    return node;
  }

  /** @param moved called for each slot that has a new owner, with the owner before */
  apply(view: TopologyView, moved: (slot: number, from: Master | undefined) => void): void {
    const known = new Set(this.all);
    const changes = view.ranges.flatMap((range) => this.#give(range));
    for (const master of this.all) if (!known.has(master)) this.#deps.opened(master.server);
    for (const { slot, from } of changes) moved(slot, from);
    this.#closeIdle();
    if (changes.length > 0) for (const { server } of this.all) server.slotsChanged();
  }

  close(): void {
    for (const { server } of this.#byName.values()) server.close();
  }

  #give({ first, last, master }: SlotRange): { slot: number; from: Master | undefined }[] {
    const owner = this.#at(master);
    const changes = [];
    for (let slot = first; slot <= last; slot += 1) {
      const from = this.#owners[slot];
      if (from === owner) continue;
      if (from !== undefined) from.slots -= 1;
      owner.slots += 1;
      this.#owners[slot] = owner;
      changes.push({ slot, from });
    }
    return changes;
  }

  #at(address: HostPort): Master {
    const name = nameOf(address);
    const existing = this.#byName.get(name);
    if (existing !== undefined) return existing;
    const master = this.#open(address);
    this.#byName.set(name, master);
    return master;
  }

  #open(address: HostPort): Master {
    const { prefix, nodeId, limits, probes, telemetry, clock, wrongServer } = this.#deps;
    const owner = {
      slots: 0,
      owns: (slot: number): boolean => this.#owners[slot]?.server === server,
    };
    const probe = new SlotName((n) => `${prefix}{node:${nodeId}:${n}}`, owner);
    const project = new SlotName((n) => `${prefix}{project:leque-${n}}`, owner);
    const server: RedisServer = new RedisServer(
      {
        endpoint: endpointOf(address, this.#deps.address),
        name: nameOf(address),
        limits,
        probes,
        pubSub: (redis) => new ShardedPubSub(redis),
        probeChannel: () => probe.current,
        idleCall: (receives) =>
          receives
            ? ['leque_history', project.current, 'newest', '', 0, 1, 1]
            : ['leque_append', project.current],
        // The slot of the key is moving to another master, or has moved.
        ignores: (error) => redirectionOf(error) !== undefined,
      },
      {
        telemetry,
        clock,
        wrongServer: (error) => wrongServer(redirectionOf(error)?.address ?? nameOf(address)),
      },
    );
    return Object.assign(owner, { address, server, importingAt: Number.NEGATIVE_INFINITY });
  }

  #closeIdle(): void {
    const oldest = this.#clock.monotonic() - IMPORTING_MS;
    for (const [name, { server, slots, importingAt }] of this.#byName) {
      if (slots > 0 || importingAt > oldest) continue;
      this.#byName.delete(name);
      server.close();
    }
  }
}
