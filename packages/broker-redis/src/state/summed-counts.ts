import { type Stats, tryParseChannel } from '@leque/protocol';
import type { Redis } from 'ioredis';
import {
  ALL_USERS,
  CONNECTIONS,
  type StateKeys,
  subscribersHash,
} from '../connection/state-keys.ts';
import { chunksOf } from '../lib/chunks-of.ts';
import { waitForAll } from '../lib/wait-for-all.ts';
import type { RedisLink } from '../link/redis-link.ts';
import type { NodeCounts } from './node-counts.ts';
import type { NodeLease } from './node-lease.ts';

const FIELDS_PER_COMMAND = 512;

export interface SummedCountsDeps {
  readonly link: Pick<RedisLink, 'run'>;
  readonly lease: NodeLease;
  readonly keys: StateKeys;
  /** The counts of this node; Redis may not have the latest of them. */
  readonly own: NodeCounts;
}

/** Adds the counts that the other live nodes state to those of this node. */
export class SummedCounts {
  readonly #deps: SummedCountsDeps;

  constructor(deps: SummedCountsDeps) {
    this.#deps = deps;
  }

  async users(userIds: readonly string[]): Promise<number[]> {
    return await this.#sums(CONNECTIONS, userIds);
  }

  async subscribers(channels: readonly string[]): Promise<number[]> {
    const counts = new Map<string, number>();
    for (const [kind, ofKind] of Map.groupBy(channels, kindOf)) {
      const sums = await this.#sums(subscribersHash(kind), ofKind);
      for (const [index, channel] of ofKind.entries()) counts.set(channel, sums[index] ?? 0);
    }
    return channels.map((channel) => counts.get(channel) ?? 0);
  }

  async stats(): Promise<Stats> {
    const { link, keys, own, lease } = this.#deps;
    const projects = subscribersHash('project');
    const nodes = await lease.others();
    const [totals, connections, subscribers] = await Promise.all([
      link.run(keys.totals, (redis) => redis.hgetall(keys.totals)),
      this.#ofEach(nodes, CONNECTIONS, (redis, key) => redis.hget(key, ALL_USERS)),
      this.#ofEach(nodes, projects, (redis, key) => redis.hgetall(key)),
    ]);
    return toStats(
      totals,
      [...connections, own.of(CONNECTIONS).get(ALL_USERS)],
      [...subscribers, Object.fromEntries(own.of(projects))],
    );
  }

  async #sums(hash: string, fields: readonly string[]): Promise<number[]> {
    if (fields.length === 0) return [];
    const { own, lease } = this.#deps;
    const nodes = await lease.others();
    const sums: number[] = [];
    for (const chunk of chunksOf(fields, FIELDS_PER_COMMAND)) {
      const replies = await this.#ofEach(nodes, hash, (redis, key) => redis.hmget(key, ...chunk));
      for (const [index, field] of chunk.entries()) {
        const others = replies.map((reply) => reply[index]);
        sums.push(sum([...others, own.of(hash).get(field)]));
      }
    }
    return sums;
  }

  /** Reads one hash of each of `nodes`. */
  async #ofEach<T>(
    nodes: readonly string[],
    hash: string,
    read: (redis: Redis, key: string) => Promise<T>,
  ): Promise<T[]> {
    const { link, keys } = this.#deps;
    const asked = nodes.map((node) => {
      const key = keys.counts(node, hash);
      return link.run(key, (redis) => read(redis, key));
    });
    return await waitForAll(asked);
  }
}

type Counts = Readonly<Record<string, string | number>>;

function toStats(totals: Counts, connections: unknown[], subscribers: Counts[]): Stats {
  const perProject = new Map<string, number>();
  for (const [channel, count] of subscribers.flatMap((counts) => Object.entries(counts))) {
    const projectId = tryParseChannel(channel)?.id ?? channel;
    perProject.set(projectId, (perProject.get(projectId) ?? 0) + Number(count));
  }
  return {
    active_connections: sum(connections),
    active_projects: perProject.size,
    total_connections: Number(totals['connections'] ?? 0),
    total_messages_sent: Number(totals['messagesSent'] ?? 0),
    total_broadcasts: Number(totals['broadcasts'] ?? 0),
    connections_per_project: Object.fromEntries(perProject),
  };
}

function sum(values: readonly unknown[]): number {
  return values.reduce<number>((total, value) => total + Number(value ?? 0), 0);
}

function kindOf(channel: string): string {
  return tryParseChannel(channel)?.kind ?? channel;
}
