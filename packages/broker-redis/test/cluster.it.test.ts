import {
  describeOnRedisServers,
  makeEvent,
  startFaultProxy,
  startRedis,
  startRedisCluster,
  type TestRedisCluster,
  uniquePrefix,
} from '@leque/testkit';
import { expect, test } from 'vitest';
import { command } from './support/foreign-service.ts';
import { type RedisNode, startNode } from './support/redis-node.ts';

const PATIENCE = { timeout: 20_000 };
/** What HON allows. */
const SOON = { timeout: 5000 };
const TIMEOUT = 90_000;
/** So many that every master has some. */
const CHANNELS = Array.from({ length: 8 }, (_, n) => `project:P-${n}`);

const health = (node: RedisNode) => () => node.broker.health();
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** Two nodes that publish and receive. */
async function startNodes() {
  const stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedisCluster());
  const prefix = uniquePrefix();
  const start = async () => stack.use(await startNode({ url: redis.url, prefix }));
  const nodes = [await start(), await start()] as const;
  for (const node of nodes) {
    for (const channel of [...CHANNELS, 'firehose']) await node.broker.subscribe(channel);
    await expect.poll(health(node), SOON).toEqual({ ok: true });
  }
  const key = (channel: string) => `${prefix}{${channel}}`;
  return { redis, nodes, prefix, key, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function publish(node: RedisNode, channel: string, n: number) {
  return node.broker.publish(makeEvent(channel, { n }, { idempotency_key: String(n) }));
}

async function publishUntilStored(node: RedisNode, channel: string, n: number): Promise<void> {
  await expect.poll(() => publish(node, channel, n).then(() => true, String), PATIENCE).toBe(true);
}

async function publishToAll(node: RedisNode, n: number): Promise<void> {
  await Promise.all(CHANNELS.map((channel) => publishUntilStored(node, channel, n)));
}

/** Publishes 1, 2, 3, … to each channel, one after the other, until told to stop. */
function publishSteadily(node: RedisNode) {
  let going = true;
  const publishing = CHANNELS.map(async (channel) => {
    let n = 0;
    while (going) {
      n += 1;
      await publishUntilStored(node, channel, n);
    }
    return n;
  });
  return {
    async stop(): Promise<number[]> {
      going = false;
      return await Promise.all(publishing);
    },
  };
}

async function expectEverything(nodes: readonly RedisNode[], last: readonly number[]) {
  for (const { sink } of nodes) {
    for (const [index, channel] of CHANNELS.entries()) {
      const expected = range(1, last[index] ?? 0);
      await expect.poll(() => sink.numbers(channel).at(-1), PATIENCE).toBe(last[index]);
      expect(sink.numbers(channel)).toEqual(expected);
      expect(sink.resyncs(channel)).toEqual([]);
    }
  }
}

async function otherMaster(redis: TestRedisCluster, key: string) {
  const master = await redis.masterOf(key);
  const other = (await redis.masters()).find((each) => each !== master);
  if (other === undefined) throw new Error('there is only one master');
  return other;
}

describeOnRedisServers('Cluster', () => {
  test('[GAP] a slot that moves to another master under load loses nothing', {
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

  test('[GAP] [HON] a master that dies is noticed, and its replica followed', {
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

  test('[GAP] an orderly failover under load loses nothing', { timeout: TIMEOUT }, async () => {
    await using all = await startNodes();
    const { redis, nodes, key } = all;
    const steady = publishSteadily(nodes[0]);
    for (const channel of CHANNELS.slice(0, 3)) await redis.failover(key(channel));
    const last = await steady.stop();
    await expectEverything(nodes, last);
    for (const node of nodes) await expect.poll(health(node), PATIENCE).toEqual({ ok: true });
  });

  test('[HON] a master that freezes makes the nodes unready within seconds', {
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

  test('[HON] [GAP] subscriptions that a master drops are made again', {
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

  test('[HON] [GAP] the connection to one master that is open and dead is named and rebuilt', {
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

  test('[HON] an address of the wrong kind is said', { timeout: TIMEOUT }, async () => {
    await using cluster = await startRedisCluster();
    await using redis = await startRedis({ own: true });
    const [{ url = '' } = {}] = cluster.nodes;
    for (const [wrong, reason] of [
      [url, 'redis+cluster://'],
      [redis.url.replace('redis://', 'redis+cluster://'), 'cluster support disabled'],
    ]) {
      await using node = await startNode({ url: wrong as string, prefix: uniquePrefix() });
      await expect.poll(health(node), SOON).toMatchObject({
        ok: false,
        reason: expect.stringContaining(reason as string),
      });
    }
  });

  test('[CNT] counts are right again after the master that keeps the leases died', {
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

  test('[ACK] what a master forgets of the functions is loaded again', {
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

  test('foreign services publish by FCALL and SPUBLISH, and the firehose repeats what is stored', {
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
