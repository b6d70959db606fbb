import type { Redis } from 'ioredis';
import { adapterKey } from '../connection/adapter-connection.ts';

/** Who else uses the same server. */
export interface Neighbours {
  /** Prefixes under which other installations of Leque run now. */
  readonly prefixes: readonly string[];
  /** Connections that listen to the calls of Socket.IO's adapter under the key of this installation. */
  readonly adapters: number;
  /** Nodes of this installation that hold a lease; undefined where another server has the leases. */
  readonly nodes: readonly string[] | undefined;
}

/** The channel in which a process gets answers, see control/redis-control.ts. */
const ANSWERS = `control:${'?'.repeat(8)}-????-????-????-${'?'.repeat(12)}`;

/** Looks for other programs by the channels that are subscribed now. It changes nothing. */
export async function findNeighbours(redis: Redis, prefix: string): Promise<Neighbours> {
  const asked = `${adapterKey(prefix)}-request#/events#`;
  const [channels, [, adapters], nodes] = await Promise.all([
    redis.pubsub('CHANNELS', `*${ANSWERS}`) as Promise<string[]>,
    redis.pubsub('NUMSUB', asked) as Promise<[string, number]>,
    nodesOf(redis, prefix),
  ]);
  const prefixes = new Set(channels.map((channel) => channel.slice(0, -ANSWERS.length)));
  prefixes.delete(prefix);
  return {
    prefixes: [...prefixes].toSorted(),
    adapters: Number(adapters),
    nodes,
  };
}

async function nodesOf(redis: Redis, prefix: string): Promise<string[] | undefined> {
  try {
    const [, leases] = (await redis.fcall('leque_lease', 1, `${prefix}{nodes}`, '', 0)) as [
      number,
      string[],
    ];
    return leases.map((lease) => lease.slice(0, lease.lastIndexOf(':'))).toSorted();
  } catch {
    return undefined; // in a Redis Cluster one server has the leases
  }
}
