import type { ClusterState, Totals } from '@leque/core';
import type { Stats } from '@leque/protocol';

/** Records the numbers that a node sets. */
export class FakeClusterState implements ClusterState {
  connections = 0;
  readonly channels = new Map<string, number>();
  readonly users = new Map<string, number>();
  /** Arguments of all `addTotals` calls. */
  readonly additions: Partial<Totals>[] = [];

  async join(): Promise<void> {}

  setSubscribers(channel: string, sessions: number): void {
    this.channels.set(channel, sessions);
  }

  setConnections(connections: number): void {
    this.connections = connections;
  }

  setUserConnections(userId: string, connections: number): void {
    this.users.set(userId, connections);
  }

  addTotals(totals: Partial<Totals>): void {
    this.additions.push(totals);
  }

  async subscribers(channels: readonly string[]): Promise<number[]> {
    return channels.map((channel) => this.channels.get(channel) ?? 0);
  }

  async userConnections(userIds: readonly string[]): Promise<number[]> {
    return userIds.map((userId) => this.users.get(userId) ?? 0);
  }

  async stats(): Promise<Stats> {
    throw new Error('not asked by the core');
  }

  async close(): Promise<void> {}
}
