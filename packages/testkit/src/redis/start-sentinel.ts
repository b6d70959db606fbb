import { allOrNone, owned } from '../lib/disposing.ts';
import { eventually } from '../lib/eventually.ts';
import { ask, askIfThere } from './ask.ts';
import { dataConfig, onFreePorts, RedisServer } from './redis-server.ts';
import type { RedisGroupOptions, TestRedis } from './test-redis.ts';

const NAME = 'mymaster';
const QUORUM = 2;
const SENTINELS = 3;
const DOWN_AFTER_MS = 1000;
const FAILOVER_TIMEOUT_MS = 3000;
const DEAF = 'deaf';
const DEAF_USER = [DEAF, 'on', `>${DEAF}`, 'resetchannels', '+ping', '+info', '+client|setname'];

/** A master with a replica, and three sentinels of which two must agree. */
export interface TestSentinel extends AsyncDisposable {
  /** redis+sentinel://HOST:PORT,HOST:PORT,HOST:PORT/NAME */
  readonly url: string;
  /** The two servers that hold data; failovers change which of them is the master. */
  readonly servers: readonly TestRedis[];
  readonly sentinels: readonly TestRedis[];
  /** The master according to the sentinels, as soon as it knows that it is the master. */
  master(): Promise<TestRedis>;
  /** The server that is not the master, whether it runs or not. */
  replica(): Promise<TestRedis>;
  /**
   * Promotes the replica once all servers are in sync, as an operator does, and returns the new
   * master.
   */
  failover(options?: FailoverOptions): Promise<TestRedis>;
  /** Waits until another master than `old` has taken over, and returns it. */
  promoted(old: TestRedis): Promise<TestRedis>;
  /**
   * Starts a sentinel without contact to the others, for which the current master stays the master.
   */
  startDeaf(): Promise<TestRedis>;
  /** Waits until all servers run and know each other, and the replica is in sync. */
  settled(): Promise<void>;
}

export interface FailoverOptions {
  /** False lets the old master stay a master for minutes, as with slow sentinels. */
  readonly demotesOld?: boolean;
}

/**
 * Starts servers that fail over about two seconds after the master is gone. Without `appendonly`
 * nothing is written to disk.
 */
export function startSentinel(options: RedisGroupOptions = {}): Promise<TestSentinel> {
  return onFreePorts(2 + SENTINELS, async ([master = 0, replica = 0, ...sentinelPorts]) => {
    await using stack = new AsyncDisposableStack();
    const { program } = options;
    const config = ['repl-diskless-sync-delay 0', ...dataConfig(options)];
    const following = [...config, `replicaof 127.0.0.1 ${master}`];
    const data = [
      RedisServer.start({ port: master, config, program }),
      RedisServer.start({ port: replica, config: following, program }),
    ];
    const servers = await allOrNone(data, stack);
    // Sentinels that find the replica at their start need not wait for their next check of the master.
    await eventually('the replica is in sync', () => hasReplica(master));
    const watching = sentinelPorts.map((port) => startWatching({ port, master, program }));
    const sentinels = await allOrNone(watching, stack);
    const group = new SentinelGroup(servers, sentinels, program);
    await group.settled();
    return owned(group, stack);
  });
}

interface Watching {
  readonly port: number;
  readonly master: number;
  readonly program: string | undefined;
  /** Further lines of the sentinel's configuration. */
  readonly more?: readonly string[];
}

async function startWatching(watching: Watching): Promise<RedisServer> {
  const { port, master, program, more = [] } = watching;
  const config = [
    `sentinel monitor ${NAME} 127.0.0.1 ${master} ${QUORUM}`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${NAME} ${FAILOVER_TIMEOUT_MS}`,
    ...more,
  ];
  const server = await RedisServer.start({ port, config, sentinel: true, program });
  // Sentinels that were starved of CPU do nothing for 30 s.
  const pace = { 'info-period': 1000, 'publish-period': 500, 'tilt-period': 1000 };
  await ask(port, 'SENTINEL', 'DEBUG', ...Object.entries(pace).flat().map(String));
  return server;
}

/** The operations of tests on the servers. */
class SentinelGroup {
  readonly url: string;
  readonly servers: readonly TestRedis[];
  readonly sentinels: readonly TestRedis[];
  readonly #program: string | undefined;

  constructor(
    servers: readonly TestRedis[],
    sentinels: readonly TestRedis[],
    program: string | undefined,
  ) {
    this.servers = servers;
    this.sentinels = sentinels;
    this.#program = program;
    const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join();
    this.url = `redis+sentinel://${hosts}/${NAME}`;
  }

  master(): Promise<TestRedis> {
    return eventually('the sentinels agree on a master', () => this.#agreed());
  }

  async replica(): Promise<TestRedis> {
    const master = await this.master();
    return this.servers.find((server) => server !== master) ?? master;
  }

  async failover({ demotesOld = true }: FailoverOptions = {}): Promise<TestRedis> {
    await this.settled();
    if (!demotesOld) await this.#delayDemotion();
    const old = await this.master();
    await eventually('a failover begins', () => this.#order());
    return this.promoted(old);
  }

  promoted(old: TestRedis): Promise<TestRedis> {
    return eventually('another server is the master', async () => {
      const now = await this.#agreed();
      return now === old ? undefined : now;
    });
  }

  async startDeaf(): Promise<TestRedis> {
    const { port: master } = await this.master();
    // Sentinels find each other through a channel of the servers, and it must not demote a server.
    for (const { port } of this.servers) await ask(port, 'ACL', 'SETUSER', ...DEAF_USER);
    const more = [`sentinel auth-user ${NAME} ${DEAF}`, `sentinel auth-pass ${NAME} ${DEAF}`];
    const program = this.#program;
    return onFreePorts(1, ([port = 0]) => startWatching({ port, master, program, more }));
  }

  async settled(): Promise<void> {
    await eventually('all know each other, and the replica is in sync', async () => {
      const { port } = await this.master();
      const known = await Promise.all(this.sentinels.map((sentinel) => knowsAll(sentinel.port)));
      return known.every((all) => all) ? hasReplica(port) : undefined;
    });
  }

  async #agreed(): Promise<TestRedis | undefined> {
    const named = await Promise.all(this.sentinels.map(({ port }) => masterNamedBy(port)));
    const votes = (port: number) => named.filter((name) => name === port).length;
    const master = this.servers.find(({ port }) => votes(port) >= QUORUM);
    return master && (await isMaster(master.port)) ? master : undefined;
  }

  /** After four of these periods a sentinel turns a server into the replica that it should be. */
  async #delayDemotion(): Promise<void> {
    for (const { port } of this.sentinels) {
      await ask(port, 'SENTINEL', 'DEBUG', 'publish-period', '60000');
    }
  }

  /** The first sentinel that can start the failover does. */
  async #order(): Promise<true | undefined> {
    for (const { port } of this.sentinels) {
      if ((await askIfThere(port, 'SENTINEL', 'FAILOVER', NAME)) === 'OK') return true;
    }
    return undefined;
  }
}

async function masterNamedBy(sentinel: number): Promise<number | undefined> {
  const address = await askIfThere(sentinel, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME);
  return Array.isArray(address) ? Number(address[1]) : undefined;
}

async function isMaster(port: number): Promise<boolean> {
  const role = await askIfThere(port, 'ROLE');
  return Array.isArray(role) && role[0] === 'master';
}

/** True once a replica of it is in sync; undefined before. */
async function hasReplica(port: number): Promise<true | undefined> {
  const info = String(await askIfThere(port, 'INFO', 'replication'));
  return /^slave0:.*state=online/m.test(info) || undefined;
}

async function knowsAll(sentinel: number): Promise<boolean> {
  const master = (await ask(sentinel, 'SENTINEL', 'MASTER', NAME)) as string[];
  const replicas = (await ask(sentinel, 'SENTINEL', 'REPLICAS', NAME)) as string[][];
  const replica = replicas[0] ?? [];
  return (
    field(master, 'flags') === 'master' &&
    field(master, 'num-other-sentinels') === String(SENTINELS - 1) &&
    // A sentinel that still expects a replica there would demote it after its promotion.
    field(replica, 'flags') === 'slave' &&
    field(replica, 'role-reported') === 'slave'
  );
}

/** Reads a reply that alternates names and values. */
function field(reply: readonly string[], name: string): string | undefined {
  return reply[reply.indexOf(name) + 1];
}
