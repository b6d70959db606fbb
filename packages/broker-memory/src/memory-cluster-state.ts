import type { ClusterState, ClusterStateListener, Totals } from '@leque/core';
import { parseChannel, type Stats } from '@leque/protocol';
import type { MemoryRegistry, NodeRecord } from './memory-registry.ts';

/** One node's part in a registry that it shares with the other nodes of this process. */
export class MemoryClusterState implements ClusterState {
  readonly #registry: MemoryRegistry;
  readonly #node: NodeRecord;
  readonly #changedUsers = new Set<string>();
  #listener: ClusterStateListener | undefined;
  #joined = false;

  constructor(registry: MemoryRegistry) {
    this.#registry = registry;
    this.#node = {
      connections: 0,
      subscribers: new Map(),
      users: new Map(),
      userChanged: (userId) => this.#tellLater(userId),
    };
  }

  async join(listener: ClusterStateListener): Promise<void> {
    this.#listener = listener;
    this.#joined = true;
    this.#registry.add(this.#node);
    for (const userId of this.#node.users.keys()) this.#registry.announce(userId);
  }

  setSubscribers(channel: string, sessions: number): void {
    state(this.#node.subscribers, channel, sessions);
  }

  setConnections(connections: number): void {
    this.#node.connections = connections;
  }

  setUserConnections(userId: string, connections: number): void {
    state(this.#node.users, userId, connections);
    if (this.#joined) this.#registry.announce(userId);
  }

  addTotals(totals: Partial<Totals>): void {
    this.#registry.addTotals(totals);
  }

  async subscribers(channels: readonly string[]): Promise<number[]> {
    return channels.map((channel) => this.#registry.subscribers(channel));
  }

  async userConnections(userIds: readonly string[]): Promise<number[]> {
    return userIds.map((userId) => this.#registry.userConnections(userId));
  }

  async stats(): Promise<Stats> {
    const { connections, totals } = this.#registry;
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
    this.#listener = undefined;
    this.#registry.remove(this.#node);
  }

  #perProject(): [projectId: string, sessions: number][] {
    return [...this.#registry.channels()].flatMap((channel) => {
      const parsed = parseChannel(channel);
      if (parsed?.kind !== 'project') return [];
      return [[parsed.id, this.#registry.subscribers(channel)]];
    });
  }

  /** Several changes in one turn are told once, with the count that they ended at. */
  #tellLater(userId: string): void {
    if (this.#changedUsers.size === 0) queueMicrotask(() => this.#tell());
    this.#changedUsers.add(userId);
  }

  #tell(): void {
    const changed = [...this.#changedUsers];
    this.#changedUsers.clear();
    for (const userId of changed) {
      this.#listener?.userConnectionsChanged(userId, this.#registry.userConnections(userId));
    }
  }
}

function state(counts: Map<string, number>, key: string, count: number): void {
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
