import type { ClusterState } from '@leque/core';
import { expect, test } from 'vitest';

export interface StateNode {
  readonly state: ClusterState;
  /** The newest count that was reported to the node, by user. */
  readonly told: ReadonlyMap<string, number>;
  /** Number of reports to the node. */
  readonly tellings: () => number;
}

/** Cluster states of several nodes, on one Redis or its substitute. */
export interface StateCluster extends AsyncDisposable {
  /** Adds a node that has joined. */
  node(): Promise<StateNode>;
  /** The state of a process that queries and has not joined. */
  reader(): Promise<ClusterState>;
}

const PATIENCE = { timeout: 5000 };
const P1 = 'project:P-1';
const P2 = 'project:P-2';

/** The contract of every cluster state. Call it in a `describe`. */
export function describeClusterStateContract(startCluster: () => Promise<StateCluster>): void {
  test('[CNT] counts are the sums over all nodes, also for a process that has not joined', async () => {
    await using cluster = await startCluster();
    const [one, other] = [await cluster.node(), await cluster.node()];
    const reader = await cluster.reader();
    one.state.setSubscribers(P1, 3);
    one.state.setSubscribers(P2, 1);
    other.state.setSubscribers(P1, 4);
    for (const [index, channel] of ['user:7', 'all', 'logs', 'firehose'].entries()) {
      other.state.setSubscribers(channel, index + 10);
    }
    one.state.setUserConnections('ana', 2);
    other.state.setUserConnections('ana', 1);
    other.state.setUserConnections('bia', 5);
    for (const state of [one.state, other.state, reader]) {
      const channels = ['user:7', P2, 'project:none', P1, 'all', 'logs', 'firehose'];
      await expect
        .poll(() => state.subscribers(channels), PATIENCE)
        .toEqual([10, 1, 0, 7, 11, 12, 13]);
      const users = ['bia', 'nobody', 'ana'];
      await expect.poll(() => state.userConnections(users), PATIENCE).toEqual([5, 0, 3]);
    }
    expect(await reader.subscribers([])).toEqual([]);
  });

  test('[CNT] the last number that a node sets counts', async () => {
    await using cluster = await startCluster();
    const { state } = await cluster.node();
    for (let count = 1; count <= 50; count += 1) state.setSubscribers(P1, count);
    await expect.poll(() => state.subscribers([P1]), PATIENCE).toEqual([50]);
    state.setSubscribers(P1, 49);
    await expect.poll(() => state.subscribers([P1]), PATIENCE).toEqual([49]);
    state.setSubscribers(P1, 0);
    await expect.poll(() => state.subscribers([P1]), PATIENCE).toEqual([0]);
    await expect.poll(async () => (await state.stats()).active_projects, PATIENCE).toBe(0);
  });

  test('[CNT] a node sees its own numbers at once', async () => {
    await using cluster = await startCluster();
    const { state } = await cluster.node();
    state.setUserConnections('ana', 1);
    state.setSubscribers(P1, 2);
    expect(await state.userConnections(['ana'])).toEqual([1]);
    expect(await state.subscribers([P1])).toEqual([2]);
  });

  test('[CNT] the numbers of a node that leaves are removed', async () => {
    await using cluster = await startCluster();
    const [one, other] = [await cluster.node(), await cluster.node()];
    for (const { state } of [one, other]) {
      state.setConnections(2);
      state.setSubscribers(P1, 2);
      state.setUserConnections('ana', 2);
    }
    await expect.poll(() => one.state.subscribers([P1]), PATIENCE).toEqual([4]);
    await expect.poll(() => one.told.get('ana'), PATIENCE).toBe(4);
    await other.state.close();
    await expect.poll(() => one.state.subscribers([P1]), PATIENCE).toEqual([2]);
    await expect.poll(() => one.told.get('ana'), PATIENCE).toBe(2);
    await expect.poll(async () => (await one.state.stats()).active_connections, PATIENCE).toBe(2);
  });

  test('[CNT] every node of a user gets the new count when the user connects or leaves anywhere', async () => {
    await using cluster = await startCluster();
    const nodes = [await cluster.node(), await cluster.node(), await cluster.node()];
    const [one, other, stranger] = nodes as [StateNode, StateNode, StateNode];
    one.state.setUserConnections('ana', 1);
    await expect.poll(() => one.told.get('ana'), PATIENCE).toBe(1);
    other.state.setUserConnections('ana', 2);
    await expect.poll(() => one.told.get('ana'), PATIENCE).toBe(3);
    await expect.poll(() => other.told.get('ana'), PATIENCE).toBe(3);
    other.state.setUserConnections('ana', 0);
    await expect.poll(() => one.told.get('ana'), PATIENCE).toBe(1);
    expect(stranger.told.size).toBe(0);
  });

  test('[CNT] a new connection gets the count even when another one has just gone', async () => {
    await using cluster = await startCluster();
    const { state, told, tellings } = await cluster.node();
    state.setUserConnections('ana', 1);
    await expect.poll(() => told.get('ana'), PATIENCE).toBe(1);
    const before = tellings();
    state.setUserConnections('ana', 0);
    state.setUserConnections('ana', 1);
    await expect.poll(() => tellings(), PATIENCE).toBeGreaterThan(before);
    expect(told.get('ana')).toBe(1);
  });

  test('[CNT] the statistics describe the whole cluster', async () => {
    await using cluster = await startCluster();
    const [one, other] = [await cluster.node(), await cluster.node()];
    one.state.setConnections(3);
    other.state.setConnections(4);
    one.state.setSubscribers(P1, 1);
    other.state.setSubscribers(P1, 1);
    other.state.setSubscribers('project:__proto__', 1);
    other.state.setSubscribers('all', 9);
    one.state.addTotals({ connections: 3, messagesSent: 10 });
    other.state.addTotals({ connections: 4, broadcasts: 1 });
    one.state.addTotals({ messagesSent: 5 });
    const reader = await cluster.reader();
    const perProject = JSON.parse('{"P-1":2,"__proto__":1}');
    await expect
      .poll(() => reader.stats(), PATIENCE)
      .toEqual({
        active_connections: 7,
        active_projects: 2,
        total_connections: 7,
        total_messages_sent: 15,
        total_broadcasts: 1,
        connections_per_project: perProject,
      });
  });

  test('[CNT] thousands of users and channels are all counted', async () => {
    await using cluster = await startCluster();
    const { state, told } = await cluster.node();
    const userIds = Array.from({ length: 2500 }, (_, index) => `user-${index}`);
    for (const userId of userIds) {
      state.setUserConnections(userId, 1);
      state.setSubscribers(`user:${userId}`, 1);
    }
    const ones = userIds.map(() => 1);
    await expect.poll(() => state.userConnections(userIds), PATIENCE).toEqual(ones);
    const channels = userIds.map((userId) => `user:${userId}`);
    await expect.poll(() => state.subscribers(channels), PATIENCE).toEqual(ones);
    await expect.poll(() => told.size, PATIENCE).toBe(userIds.length);
  });
}
