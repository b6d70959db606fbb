import type { ClusterState, ClusterStateSink, Totals } from '@leque/core';
import { type Stats, tryParseChannel } from '@leque/protocol';
import type { MemoryCluster, NodeRecord } from './memory-cluster.ts';

/** The cluster state of one node, in a cluster that all nodes of this process share. */
export class MemoryClusterState implements ClusterState {
  readonly #cluster: MemoryCluster;
  readonly #node: NodeRecord;
  readonly #changedUsers = new Set<string>();
  #sink: ClusterStateSink | undefined;
  #joined = false;

  constructor(cluster: MemoryCluster) {
    this.#cluster = cluster;
    this.#node = {
      connections: 0,
      subscribers: new Map(),
      users: new Map(),
      userChanged: (userId) => this.#tellLater(userId),
    };
  }

  async join(sink: ClusterStateSink): Promise<void> {
    this.#sink = sink;
    this.#joined = true;
    this.#cluster.add(this.#node);
    for (const userId of this.#node.users.keys()) this.#cluster.announce(userId);
  }

  setSubscribers(channel: string, sessions: number): void {
    state(this.#node.subscribers, channel, sessions);
  }

  setConnections(connections: number): void {
    this.#node.connections = connections;
  }

  setUserConnections(userId: string, connections: number): void {
    state(this.#node.users, userId, connections);
    if (this.#joined) this.#cluster.announce(userId);
  }

  addTotals(totals: Partial<Totals>): void {
    this.#cluster.addTotals(totals);
  }

  async subscribers(channels: readonly string[]): Promise<number[]> {
    return channels.map((channel) => this.#cluster.subscribers(channel));
  }

  async userConnections(userIds: readonly string[]): Promise<number[]> {
    return userIds.map((userId) => this.#cluster.userConnections(userId));
  }

  async stats(): Promise<Stats> {
    const { connections, totals } = this.#cluster;
    const perProject = this.#perProject();
    return {
      active_connections: connections,
      active_projects: perProject.length,
      total_connections: totals.connections,
      total_messages_sent: totals.messagesSent,
      total_broadcasts: totals.broadcasts,
      connections_per_project: Object.fromEntries(perProject),
    };
  }

  async close(): Promise<void> {
    this.#joined = false;
    this.#sink = undefined;
    this.#cluster.remove(this.#node);
  }

  #perProject(): [projectId: string, sessions: number][] {
    return [...this.#cluster.channels()].flatMap((channel) => {
      const parsed = tryParseChannel(channel);
      if (parsed?.kind !== 'project') return [];
      return [[parsed.id, this.#cluster.subscribers(channel)]];
    });
  }

  /** Announces several changes in one turn once, with the final count. */
  #tellLater(userId: string): void {
    if (this.#changedUsers.size === 0) queueMicrotask(() => this.#tell());
    this.#changedUsers.add(userId);
  }

  #tell(): void {
    const changed = [...this.#changedUsers];
    this.#changedUsers.clear();
    for (const userId of changed) {
      this.#sink?.userConnectionsChanged(userId, this.#cluster.userConnections(userId));
    }
  }
}

function state(counts: Map<string, number>, key: string, count: number): void {
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
