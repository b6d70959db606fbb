import { controlKind } from '@leque/core';
import { Type } from 'typebox';
import { expect } from 'vitest';
import type { RedisNode } from './redis-node.ts';

const PATIENCE = { timeout: 15_000 };
const PING = controlKind('ping', Type.Null(), Type.String());

/** Joins a gateway with a client of user `ana` that is subscribed to project:P and the firehose. */
export async function begin(gateway: RedisNode) {
  await gateway.join();
  gateway.state.setConnections(1);
  gateway.state.setUserConnections('ana', 1);
  gateway.state.setSubscribers('project:P', 1);
  gateway.state.addTotals({ connections: 1 });
  await expect.poll(() => gateway.told.get('ana'), PATIENCE).toBe(1);
  const start = await gateway.broker.subscribe('project:P');
  await gateway.broker.subscribe('firehose');
  return start;
}

/** Expects that the publisher counts that client, and that the two answer each other. */
export async function areCounted(gateway: RedisNode, publisher: RedisNode): Promise<void> {
  const { state } = publisher;
  await expect
    .poll(() => state.stats(), PATIENCE)
    .toMatchObject({
      active_connections: 1,
      connections_per_project: { P: 1 },
    });
  await expect.poll(async () => (await state.stats()).total_connections, PATIENCE).toBe(1);
  for (const node of [gateway, publisher]) node.control.handle(PING, () => 'pong');
  await expect
    .poll(async () => (await publisher.control.request(PING, null)).answers, PATIENCE)
    .toMatchObject([{ body: 'pong' }, { body: 'pong' }]);
}
