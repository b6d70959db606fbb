import type { Redis } from 'ioredis';
import type { HostPort } from '../connection/redis-address.ts';

/** Consecutive slots of one master. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly master: HostPort;
}

/** The Redis Cluster as one server sees it. */
export interface TopologyView {
  readonly ranges: readonly SlotRange[];
  /** All servers, replicas included. */
  readonly servers: readonly HostPort[];
}

type Address = readonly [host: string | null, port: number, ...rest: unknown[]];
type SlotsReply = readonly [first: number, last: number, ...servers: Address[]][];

export const SLOTS = 16_384;

/**
 * @param asked the server that answers: servers do not always name their own host
 * @throws Error when the server has lost the others, because its view is old then
 */
export async function readView(redis: Redis, asked: HostPort): Promise<TopologyView> {
  const [info, slots] = await Promise.all([redis.cluster('INFO'), redis.cluster('SLOTS')]);
  if (String(info).includes('cluster_state:fail')) throw new Error('the Redis Cluster is down');
  const ranges = (slots as unknown as SlotsReply).map(([first, last, ...servers]) => ({
    first,
    last,
    servers: servers.map(([host, port]) => ({ host: host || asked.host, port })),
  }));
  return {
    ranges: ranges.flatMap(({ first, last, servers: [master] }) =>
      master === undefined ? [] : [{ first, last, master }],
    ),
    servers: ranges.flatMap(({ servers }) => servers),
  };
}

export function nameOf({ host, port }: HostPort): string {
  return `${host}:${port}`;
}

/** @param address `HOST:PORT`, as in a MOVED reply */
export function hostPortOf(address: string): HostPort {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
