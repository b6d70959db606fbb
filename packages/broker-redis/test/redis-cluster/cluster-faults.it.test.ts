import { startFaultProxy, startRedis, startRedisCluster, uniquePrefix } from '@leque/testkit';
import { describeOnRedisServers } from '@leque/testkit/contracts';
import { expect, test } from 'vitest';
import {
  CHANNELS,
  expectEverything,
  health,
  PATIENCE,
  publish,
  publishUntilStored,
  SOON,
  startNodes,
  TIMEOUT,
} from '../support/cluster-nodes.ts';
import { command } from '../support/foreign-service.ts';
import { startNode } from '../support/redis-node.ts';

describeOnRedisServers('RedisClusterLink', () => {
  test('[HON] [GAP] names and rebuilds a connection to one master that is open and dead', {
    timeout: TIMEOUT,
  }, async () => {
    await using redis = await startRedisCluster();
    const prefix = uniquePrefix();
    const [channel = ''] = CHANNELS;
    const master = await redis.masterOf(`${prefix}{${channel}}`);
    await using proxy = await startFaultProxy({ target: master.url });
    await command(master.url, 'CONFIG', 'SET', 'cluster-announce-port', String(proxy.port));
    const announced = async ({ url }: { url: string }) =>
      JSON.stringify(await command(url, 'CLUSTER', 'SLOTS')).includes(String(proxy.port));
    for (const node of redis.nodes) await expect.poll(() => announced(node), PATIENCE).toBe(true);

    await using node = await startNode({ url: redis.url, prefix });
    for (const each of CHANNELS) await node.broker.subscribe(each);
    await expect.poll(health(node), SOON).toEqual({ ok: true });
    proxy.stall('leque-subscriber');
    await Promise.all(CHANNELS.map((each) => publish(node, each, 1)));
    await expect.poll(health(node), SOON).toMatchObject({
      ok: false,
      reason: expect.stringContaining(`subscriber connection to 127.0.0.1:${proxy.port}`),
    });
    proxy.resume();
    await expect.poll(health(node), PATIENCE).toEqual({ ok: true });
    await expectEverything(
      [node],
      CHANNELS.map(() => 1),
    );
    expect(node.telemetry.of('broker_disconnected')).toHaveLength(1);
  });

  test('[HON] reports an address of the wrong kind', { timeout: TIMEOUT }, async () => {
    await using cluster = await startRedisCluster();
    await using redis = await startRedis({ own: true });
    const [{ url = '' } = {}] = cluster.nodes;
    for (const [wrong, reason] of [
      [url, 'redis+cluster://'],
      [redis.url.replace('redis://', 'redis+cluster://'), 'is no Redis Cluster'],
    ]) {
      await using node = await startNode({ url: wrong as string, prefix: uniquePrefix() });
      await expect.poll(health(node), SOON).toMatchObject({
        ok: false,
        reason: expect.stringContaining(reason as string),
      });
    }
  });

  test('[HON] finds a Redis Cluster again that was away as a whole, also in processes that start meanwhile', {
    timeout: TIMEOUT,
  }, async () => {
    await using all = await startNodes();
    const { redis, nodes, prefix } = all;
    await Promise.all(redis.nodes.map((node) => node.kill()));
    await using late = await startNode({ url: redis.url, prefix });
    for (const node of [...nodes, late]) {
      expect(node.broker.health()).toMatchObject({ ok: false });
      const { code } = await publish(node, 'project:P-0', 1).catch((error) => error);
      expect(code).toMatch(/^(unavailable|outcome_unknown)$/);
    }
    await Promise.all(redis.nodes.map((node) => node.restart()));
    for (const node of [...nodes, late]) {
      await expect.poll(health(node), PATIENCE).toEqual({ ok: true });
    }
    await late.broker.subscribe('project:P-0');
    await publishUntilStored(late, 'project:P-0', 2);
    for (const { sink } of [...nodes, late]) {
      await expect.poll(() => sink.numbers('project:P-0').at(-1), PATIENCE).toBe(2);
    }
  });

  test('[ACK] loads the functions again that a master has lost', {
    timeout: TIMEOUT,
  }, async () => {
    await using all = await startNodes();
    const { redis, nodes } = all;
    for (const { url } of await redis.masters()) await command(url, 'FUNCTION', 'FLUSH');
    await Promise.all(CHANNELS.map((channel) => publish(nodes[0], channel, 1)));
    await expectEverything(
      nodes,
      CHANNELS.map(() => 1),
    );
  });

  test('delivers what other services publish by FCALL and SPUBLISH, and the firehose repeats what is stored', {
    timeout: TIMEOUT,
  }, async () => {
    await using all = await startNodes();
    const { redis, nodes, key } = all;
    const sent = CHANNELS.map((channel) => ({ channel, n: 1 }));
    for (const { channel } of sent) {
      const { url } = await redis.masterOf(key(channel));
      const event = (n: number) => JSON.stringify({ type: 'x', data: { n } });
      expect(
        await command(url, 'FCALL', 'leque_publish', '1', key(channel), event(1)),
      ).toMatchObject({ 2: 1 });
      expect(await command(url, 'SPUBLISH', key(channel), event(2))).toBe(2);
    }
    for (const { sink } of nodes) {
      for (const channel of CHANNELS) {
        await expect.poll(() => sink.numbers(channel), PATIENCE).toEqual([1, 2]);
      }
      const origins = () => sink.publications('firehose').map(({ origin }) => origin);
      await expect.poll(() => origins().toSorted()).toEqual(CHANNELS.toSorted());
    }
  });
});
