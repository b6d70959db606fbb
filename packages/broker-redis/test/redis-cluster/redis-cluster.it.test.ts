import { describeOnRedisServers } from '@leque/testkit/contracts';
import { expect, test } from 'vitest';
import {
  CHANNELS,
  expectEverything,
  health,
  otherMaster,
  PATIENCE,
  publish,
  publishSteadily,
  publishToAll,
  SOON,
  startNodes,
  TIMEOUT,
} from '../support/cluster-nodes.ts';
import { command } from '../support/foreign-service.ts';

describeOnRedisServers('RedisClusterLink with changing masters and slots', () => {
  test('[GAP] loses nothing when a slot moves to another master under load', {
    timeout: TIMEOUT,
  }, async () => {
    await using all = await startNodes();
    const { redis, nodes, key } = all;
    const steady = publishSteadily(nodes[0]);
    for (const channel of CHANNELS.slice(0, 2)) {
      await redis.moveSlot(key(channel), await otherMaster(redis, key(channel)));
    }
    const last = await steady.stop();
    await expectEverything(nodes, last);
    for (const node of nodes) await expect.poll(health(node), SOON).toEqual({ ok: true });
    expect(nodes.flatMap(({ telemetry }) => telemetry.of('broker_disconnected'))).toEqual([]);
  });

  test('[GAP] [HON] notices that a master has died, and follows its replica', {
    timeout: TIMEOUT,
  }, async () => {
    await using all = await startNodes();
    const { redis, nodes, key } = all;
    const [one, other] = nodes;
    await publishToAll(one, 1);
    await redis.settled();
    const [channel = ''] = CHANNELS;
    const old = await redis.masterOf(key(channel));
    await old.kill();
    await expect.poll(health(other), SOON).toMatchObject({
      ok: false,
      reason: expect.stringContaining(String(old.port)),
    });
    await expect(publish(other, channel, 2)).rejects.toMatchObject({
      code: expect.stringMatching(/^(unavailable|outcome_unknown)$/),
    });
    await publishToAll(one, 2);
    await publishToAll(other, 3);
    for (const node of nodes) await expect.poll(health(node), PATIENCE).toEqual({ ok: true });
    await expectEverything(
      nodes,
      CHANNELS.map(() => 3),
    );
  });

  test('[GAP] loses nothing in an orderly failover under load', { timeout: TIMEOUT }, async () => {
    await using all = await startNodes();
    const { redis, nodes, key } = all;
    const steady = publishSteadily(nodes[0]);
    for (const channel of CHANNELS.slice(0, 3)) await redis.failover(key(channel));
    const last = await steady.stop();
    await expectEverything(nodes, last);
    for (const node of nodes) await expect.poll(health(node), PATIENCE).toEqual({ ok: true });
  });

  test('[HON] makes the nodes unready within seconds when a master freezes', {
    timeout: TIMEOUT,
  }, async () => {
    await using all = await startNodes();
    const { redis, nodes, key } = all;
    const [channel = ''] = CHANNELS;
    await redis.settled();
    const old = await redis.masterOf(key(channel));
    await old.pause();
    await Promise.all(
      nodes.map((node) =>
        expect.poll(health(node), SOON).toMatchObject({
          ok: false,
          reason: expect.stringContaining(String(old.port)),
        }),
      ),
    );
    await redis.promoted(key(channel), old);
    await publishToAll(nodes[0], 1);
    await old.resume();
    for (const node of nodes) await expect.poll(health(node), PATIENCE).toEqual({ ok: true });
    await publishToAll(nodes[1], 2);
    await expectEverything(
      nodes,
      CHANNELS.map(() => 2),
    );
  });

  test('[HON] [GAP] subscribes again what a master has dropped', {
    timeout: TIMEOUT,
  }, async () => {
    await using all = await startNodes();
    const { redis, nodes } = all;
    const steady = publishSteadily(nodes[0]);
    for (let round = 0; round < 4; round += 1) {
      for (const { url } of await redis.masters()) {
        await command(url, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
      }
    }
    const last = await steady.stop();
    await expectEverything(nodes, last);
    for (const node of nodes) await expect.poll(health(node), SOON).toEqual({ ok: true });
  });

  test('[CNT] has right counts again after the master that keeps the leases has died', {
    timeout: TIMEOUT,
  }, async () => {
    await using all = await startNodes();
    const { redis, nodes, key } = all;
    for (const [index, node] of nodes.entries()) {
      await node.join();
      node.state.setUserConnections('ana', index + 1);
      node.state.setSubscribers('project:P-1', 10);
    }
    const [one, other] = nodes;
    const counts = async () => [
      await one.state.userConnections(['ana']),
      await other.state.subscribers(['project:P-1']),
    ];
    await expect.poll(counts, PATIENCE).toEqual([[3], [20]]);
    await redis.settled();
    const old = await redis.masterOf(key('nodes'));
    await old.kill();
    await redis.promoted(key('nodes'), old);
    one.state.setUserConnections('ana', 5);
    const nowOrUnknown = () => counts().catch(() => undefined);
    await expect.poll(nowOrUnknown, PATIENCE).toEqual([[7], [20]]);
    await expect.poll(() => other.told.get('ana'), PATIENCE).toBe(7);
  });
});
