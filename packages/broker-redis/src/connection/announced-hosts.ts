import type { Cluster, Redis } from 'ioredis';

type Callback = (error: Error | null, reply?: unknown) => void;
type ClusterCommand = (subcommand: string, callback: Callback) => unknown;
type SlotsReply = readonly (readonly [first: number, last: number, ...nodes: AnnouncedNode[]])[];
type AnnouncedNode = readonly [host: string | null, ...rest: unknown[]];

/** The part of ioredis that asks a server for the slots; it makes another connection for that. */
interface SlotReader {
  getInfoFromNode(redis: Redis | undefined, callback: Callback): void;
}

/**
 * Lets a client of ioredis use servers that announce no host, as a Cluster of one node does: they are
 * at the host that was asked. ioredis leaves them out, and then knows no server at all.
 */
export function withAnnouncedHosts(cluster: Cluster): Cluster {
  const reader = cluster as unknown as SlotReader;
  const read = reader.getInfoFromNode.bind(cluster);
  reader.getInfoFromNode = (redis, callback) => read(redis && filling(redis), callback);
  return cluster;
}

/** Returns a view of `redis` whose copies fill in the host. */
function filling(redis: Redis): Redis {
  const host = redis.options.host ?? '';
  const duplicate: Redis['duplicate'] = (override) => {
    const copy = redis.duplicate(override);
    const ask = copy.cluster.bind(copy) as unknown as ClusterCommand;
    const asking: ClusterCommand = (subcommand, callback) =>
      ask(subcommand, (error, reply) => callback(error, reply && withHost(reply, host)));
    return Object.assign(copy, { cluster: asking });
  };
  return Object.create(redis, { duplicate: { value: duplicate } }) as Redis;
}

function withHost(reply: unknown, host: string): unknown {
  return (reply as SlotsReply).map(([first, last, ...nodes]) => [
    first,
    last,
    ...nodes.map(([announced, ...rest]) => [announced || host, ...rest]),
  ]);
}
