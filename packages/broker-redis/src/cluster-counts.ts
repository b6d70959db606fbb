import { parseChannel, type Stats } from '@leque/protocol';
import type { Redis } from 'ioredis';
import type { NodeCounts } from './node-counts.ts';
import type { NodeLease } from './node-lease.ts';
import { chunksOf, runPipeline } from './pipeline.ts';
import { ALL_USERS, CONNECTIONS, type StateKeys, subscribersHash } from './state-keys.ts';

const FIELDS_PER_COMMAND = 512;

export interface ClusterCountsParts {
  readonly redis: Redis;
  readonly lease: NodeLease;
  readonly keys: StateKeys;
  /** This node's own numbers: Redis may not have the latest of them. */
  readonly own: NodeCounts;
}

/** Adds up what the other live nodes state, and what this one knows of itself. */
export class ClusterCounts {
  readonly #parts: ClusterCountsParts;

  constructor(parts: ClusterCountsParts) {
    this.#parts = parts;
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
    const { redis, keys, own, lease } = this.#parts;
    const projects = subscribersHash('project');
    const nodes = await lease.others();
    const [totals, ...replies] = await runPipeline(redis, (pipeline) => {
      pipeline.hgetall(keys.totals);
      for (const node of nodes) {
        pipeline.hget(keys.counts(node, CONNECTIONS), ALL_USERS);
        pipeline.hgetall(keys.counts(node, projects));
      }
    });
    const connections = replies.filter((_, index) => index % 2 === 0);
    const subscribers = replies.filter((_, index) => index % 2 === 1) as Counts[];
    return toStats(
      totals as Counts,
      [...connections, own.of(CONNECTIONS).get(ALL_USERS)],
      [...subscribers, Object.fromEntries(own.of(projects))],
    );
  }

  async #sums(hash: string, fields: readonly string[]): Promise<number[]> {
    if (fields.length === 0) return [];
    const { redis, keys, own, lease } = this.#parts;
    const nodes = await lease.others();
    const sums: number[] = [];
    for (const chunk of chunksOf(fields, FIELDS_PER_COMMAND)) {
      const replies = await runPipeline(redis, (pipeline) => {
        for (const node of nodes) pipeline.hmget(keys.counts(node, hash), ...chunk);
      });
      for (const [index, field] of chunk.entries()) {
        const others = (replies as unknown[][]).map((reply) => reply[index]);
        sums.push(sum([...others, own.of(hash).get(field)]));
      }
    }
    return sums;
  }
}

type Counts = Readonly<Record<string, string | number>>;

function toStats(totals: Counts, connections: unknown[], subscribers: Counts[]): Stats {
  const perProject = new Map<string, number>();
  for (const [channel, count] of subscribers.flatMap((counts) => Object.entries(counts))) {
    const projectId = parseChannel(channel)?.id ?? channel;
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
  return parseChannel(channel)?.kind ?? channel;
}
