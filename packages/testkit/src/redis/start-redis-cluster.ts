import { allOrNone, owned } from '../lib/disposing.ts';
import { eventually } from '../lib/eventually.ts';
import { ask } from './ask.ts';
import { agreedSlots, isWhole, type SlotRange, slotOf } from './cluster-slots.ts';
import { migrateSlot } from './migrate-slot.ts';
import { dataConfig, onFreePorts, RedisServer } from './redis-server.ts';
import type { RedisGroupOptions, TestRedis } from './test-redis.ts';

const MASTERS = 3;
const NODES = 2 * MASTERS;
const SLOTS = 16_384;
const NODE_TIMEOUT_MS = 1500;

/** A key, or the number of a slot. */
export type KeyOrSlot = string | number;

/** Three masters, each with a replica. */
export interface TestRedisCluster extends AsyncDisposable {
  /** redis+cluster://HOST:PORT,HOST:PORT,… with all nodes */
  readonly url: string;
  /** All six servers; failovers change which of them are masters. */
  readonly nodes: readonly TestRedis[];
  /** Masters in the order of their slots, as soon as all answering nodes agree. */
  masters(): Promise<TestRedis[]>;
  /** The master that serves a key. */
  masterOf(of: KeyOrSlot): Promise<TestRedis>;
  /** The replica of a master. */
  replicaOf(of: KeyOrSlot): Promise<TestRedis>;
  /** Promotes the replica, as an operator does, and returns the new master. */
  failover(of: KeyOrSlot): Promise<TestRedis>;
  /** Waits until another master than `old` serves a key, and returns it. */
  promoted(of: KeyOrSlot, old: TestRedis): Promise<TestRedis>;
  /** Moves a slot with all its keys while it is in use, as resharding does. */
  moveSlot(of: KeyOrSlot, to: TestRedis): Promise<void>;
  /** Waits until everything runs and agrees, and every master has a replica that is in sync. */
  settled(): Promise<void>;
}

/**
 * Starts a Redis Cluster that fails over about three seconds after a master is gone. Without
 * `appendonly` nothing is written to disk.
 */
export function startRedisCluster(options: RedisGroupOptions = {}): Promise<TestRedisCluster> {
  // Half of the ports are for the cluster bus.
  return onFreePorts(2 * NODES, async (ports) => {
    await using stack = new AsyncDisposableStack();
    const starting = ports.slice(0, NODES).map((port) =>
      RedisServer.start({
        port,
        config: [...nodeConfig(port), ...dataConfig(options)],
        program: options.program,
      }),
    );
    const nodes = await allOrNone(starting, stack);
    await join(nodes);
    const cluster = new RedisClusterNodes(nodes);
    await cluster.settled();
    return owned(cluster, stack);
  });
}

function nodeConfig(port: number): string[] {
  return [
    'cluster-enabled yes',
    'cluster-config-file nodes.conf',
    `cluster-node-timeout ${NODE_TIMEOUT_MS}`,
    `cluster-port ${port + NODES}`,
    'cluster-replica-validity-factor 0', // a replica that was away for long may take over too
    'cluster-allow-replica-migration no', // whoever loses its replica keeps its own later
    'repl-diskless-sync-delay 0',
    'repl-ping-replica-period 1', // the first one makes a replica of an empty master known
  ];
}

async function join(nodes: readonly TestRedis[]): Promise<void> {
  const masters = nodes.slice(0, MASTERS);
  const first = (index: number) => Math.ceil((index * SLOTS) / MASTERS);
  for (const [index, { port }] of masters.entries()) {
    const range = [first(index), first(index + 1) - 1].map(String);
    await ask(port, 'CLUSTER', 'ADDSLOTSRANGE', ...range);
  }
  // A node accepts an epoch only before it knows others.
  for (const [index, { port }] of nodes.entries()) {
    await ask(port, 'CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
  }
  for (const [index, { port }] of nodes.entries()) {
    for (const { port: other } of nodes.slice(index + 1)) {
      await ask(port, 'CLUSTER', 'MEET', '127.0.0.1', String(other), String(other + NODES));
    }
  }
  for (const [index, { port }] of nodes.slice(MASTERS).entries()) {
    const master = String(await ask((masters[index] as TestRedis).port, 'CLUSTER', 'MYID'));
    await eventually('a replica knows its master', () => ask(port, 'CLUSTER', 'REPLICATE', master));
  }
}

/** The operations of tests on the nodes. */
class RedisClusterNodes {
  readonly url: string;
  readonly nodes: readonly TestRedis[];

  constructor(nodes: readonly TestRedis[]) {
    this.nodes = nodes;
    this.url = `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join()}`;
  }

  async masters(): Promise<TestRedis[]> {
    const ports = new Set((await this.#slots()).map(({ master }) => master));
    return [...ports].flatMap((port) => this.#at(port) ?? []);
  }

  async masterOf(of: KeyOrSlot): Promise<TestRedis> {
    return eventually('a master serves it', async () =>
      this.#at((await this.#rangeOf(of))?.master),
    );
  }

  async replicaOf(of: KeyOrSlot): Promise<TestRedis> {
    const replica = async () => this.#at((await this.#rangeOf(of))?.replicas[0]);
    return eventually('its master has a replica', replica);
  }

  async failover(of: KeyOrSlot): Promise<TestRedis> {
    const old = await this.masterOf(of);
    await ask((await this.replicaOf(of)).port, 'CLUSTER', 'FAILOVER');
    return this.promoted(of, old);
  }

  async promoted(of: KeyOrSlot, old: TestRedis): Promise<TestRedis> {
    return eventually('another node serves it', async () => {
      const now = await this.masterOf(of);
      return now === old ? undefined : now;
    });
  }

  async moveSlot(of: KeyOrSlot, to: TestRedis): Promise<void> {
    const slot = await this.#slot(of);
    const from = await this.masterOf(slot);
    if (from !== to) await migrateSlot({ slot, from, to, masters: await this.masters() });
  }

  async settled(): Promise<void> {
    await eventually('all nodes are there and in sync', () => isWhole(this.nodes));
  }

  async #rangeOf(of: KeyOrSlot): Promise<SlotRange | undefined> {
    const slot = await this.#slot(of);
    return (await this.#slots()).find(({ first, last }) => first <= slot && slot <= last);
  }

  async #slot(of: KeyOrSlot): Promise<number> {
    return typeof of === 'number' ? of : slotOf(this.nodes, of);
  }

  #slots(): Promise<SlotRange[]> {
    return eventually('the nodes agree on the slots', () => agreedSlots(this.nodes));
  }

  #at(port: number | undefined): TestRedis | undefined {
    return this.nodes.find((node) => node.port === port);
  }
}
