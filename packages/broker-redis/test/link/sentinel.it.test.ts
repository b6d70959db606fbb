import { startSentinel, uniquePrefix } from '@leque/testkit';
import { describeOnRedisServers } from '@leque/testkit/contracts';
import { makeEvent, upTo } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { command } from '../support/foreign-service.ts';
import { type RedisNode, startNode } from '../support/redis-node.ts';

const PATIENCE = { timeout: 15_000 };
/** The time that HON allows. */
const SOON = { timeout: 5000 };
const TIMEOUT = 60_000;
const P = 'project:P';

const health = (node: RedisNode) => () => node.broker.health();
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** Two nodes that publish and receive. */
async function startNodes() {
  const stack = new AsyncDisposableStack();
  const redis = stack.use(await startSentinel());
  const options = { url: redis.url, prefix: uniquePrefix() };
  const [one, other] = [stack.use(await startNode(options)), stack.use(await startNode(options))];
  for (const node of [one, other]) {
    await node.broker.subscribe(P);
    await node.broker.subscribe('logs');
    await expect.poll(health(node), SOON).toEqual({ ok: true });
  }
  const { prefix } = options;
  return { redis, prefix, one, other, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const publish = (node: RedisNode, n: number, channel = P) =>
  node.broker.publish(makeEvent(channel, { n }, { idempotency_key: String(n) }));

async function publishUntilStored(node: RedisNode, n: number): Promise<void> {
  await expect.poll(() => publish(node, n).then(() => true, String), PATIENCE).toBe(true);
}

/** Two such nodes, with the first event stored on master and replica. */
async function startPublished() {
  const nodes = await startNodes();
  await publish(nodes.one, 1);
  await nodes.redis.settled();
  return nodes;
}

describeOnRedisServers('SingleLink on Sentinel', () => {
  test('[GAP] [HON] follows the new master with both connections when the old one dies', {
    timeout: TIMEOUT,
  }, async () => {
    await using all = await startNodes();
    const { redis, one, other } = all;
    for (const n of range(1, 5)) await publish(one, n);
    const before = (await one.broker.history(P, undefined, upTo(1))).position;
    const [old, replica] = [await redis.master(), await redis.replica()];
    await redis.settled();
    const replicated = () => command(replica.url, 'XLEN', `${all.prefix}{${P}}:log`);
    await expect.poll(replicated, PATIENCE).toBe(5);
    await old.kill();
    await expect.poll(() => one.broker.health().ok, SOON).toBe(false);
    await expect(publish(one, 6)).rejects.toMatchObject({
      code: expect.stringMatching(/^(unavailable|outcome_unknown)$/),
    });
    await publishUntilStored(one, 6);
    for (const node of [one, other]) {
      await expect.poll(health(node), PATIENCE).toEqual({ ok: true });
      await publish(node, node === one ? 7 : 8);
    }
    for (const { sink } of [one, other]) {
      await expect.poll(() => sink.numbers(P), PATIENCE).toEqual(range(1, 8));
      expect(sink.resyncs(P)).toEqual([]);
      expect(sink.resyncs('logs').length).toBeGreaterThan(0);
    }
    const page = await other.broker.history(P, before, upTo(10));
    expect(page).toMatchObject({ complete: true });
    expect(page.publications).toHaveLength(3);
  });

  test('[GAP] leaves a frozen master within seconds, and for good', {
    timeout: TIMEOUT,
  }, async () => {
    await using all = await startPublished();
    const { redis, one, other } = all;
    const old = await redis.master();
    await old.pause();
    await redis.promoted(old);
    await publishUntilStored(one, 2);
    await old.resume();
    for (const node of [one, other])
      await expect.poll(health(node), PATIENCE).toEqual({ ok: true });
    await publishUntilStored(other, 3);
    for (const { sink } of [one, other]) {
      await expect.poll(() => sink.numbers(P), PATIENCE).toEqual([1, 2, 3]);
    }
  });

  test('[GAP] reports publications that a promoted replica lacks, and never passes others off as them', {
    timeout: TIMEOUT,
  }, async () => {
    await using all = await startPublished();
    const { redis, one, other } = all;
    const [old, replica] = [await redis.master(), await redis.replica()];
    await replica.pause();
    await command(old.url, 'CLIENT', 'KILL', 'TYPE', 'replica');
    for (const n of [2, 3]) await publish(one, n);
    await expect.poll(() => other.sink.numbers(P)).toEqual([1, 2, 3]);
    await old.kill();
    await replica.resume();
    await publishUntilStored(one, 4);
    for (const node of [one, other])
      await expect.poll(health(node), PATIENCE).toEqual({ ok: true });
    for (const n of [5, 6]) await publish(one, n);
    for (const { sink } of [one, other]) {
      await expect.poll(() => sink.numbers(P).at(-1), PATIENCE).toBe(6);
      const resynced = sink.of(P).findIndex(({ kind }) => kind === 'resync');
      expect(resynced).toBe(3);
      // Publications from before the node was back may be among those that it reads again.
      const after = sink.numbers(P).slice(3);
      expect(after).toEqual([4, 5, 6].slice(-after.length));
    }
  });

  test('[GAP] never passes publications off as others when a former master is promoted again', {
    timeout: TIMEOUT,
  }, async () => {
    await using redis = await startSentinel();
    await using node = await startNode({ url: redis.url, prefix: uniquePrefix() });
    await publish(node, 1);
    const [first, second] = [await redis.master(), await redis.replica()];
    await second.pause();
    await command(first.url, 'CLIENT', 'KILL', 'TYPE', 'replica');
    for (const n of [2, 3]) await publish(node, n);
    const lost = (await node.broker.history(P, undefined, upTo(1))).position;
    await first.pause();
    await second.resume();
    expect(await redis.promoted(first)).toBe(second);
    await first.resume();
    await redis.settled();
    expect(await redis.failover()).toBe(first);
    for (const n of [4, 5, 6]) await publishUntilStored(node, n);
    expect(await node.broker.history(P, lost, upTo(10))).toMatchObject({ complete: false });
  });

  test('[HON] leaves a demoted master for the one that the sentinels name', {
    timeout: TIMEOUT,
  }, async () => {
    await using all = await startNodes();
    const { redis, one, other } = all;
    await publish(one, 1);
    await redis.failover();
    // Until a node has the notice, the old master takes publications that will be lost.
    for (const node of [one, other]) {
      await expect.poll(() => node.telemetry.of('broker_disconnected'), SOON).toHaveLength(2);
    }
    await publishUntilStored(one, 2);
    await publishUntilStored(other, 3);
    for (const node of [one, other]) {
      await expect.poll(health(node), PATIENCE).toEqual({ ok: true });
      await expect.poll(() => node.sink.numbers(P), PATIENCE).toEqual([1, 2, 3]);
    }
    const clients = async () => {
      const list = await command((await redis.master()).url, 'CLIENT', 'LIST');
      return String(list)
        .match(/leque-\w+/g)
        ?.toSorted();
    };
    const ofTwoNodes = ['leque-commands', 'leque-subscriber'].flatMap((name) => [name, name]);
    await expect.poll(clients, PATIENCE).toEqual(ofTwoNodes);
  });

  test('[GAP] [HON] follows the new master although one sentinel still names the old one', {
    timeout: TIMEOUT,
  }, async () => {
    await using redis = await startSentinel();
    await using deaf = await redis.startDeaf();
    const [first, ...others] = redis.sentinels;
    // ioredis asks the second sentinel when the first connection has ended.
    const hosts = [first, deaf, ...others].map((each) => `127.0.0.1:${each?.port}`);
    const url = redis.url.replace(/(?<=\/\/)[^/]+/, hosts.join());
    await using node = await startNode({ url, prefix: uniquePrefix() });
    await node.broker.subscribe(P);
    await expect.poll(health(node), SOON).toEqual({ ok: true });
    const old = await redis.master();
    const now = await redis.failover();
    const named = await command(deaf.url, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'mymaster');
    expect(named).toEqual(['127.0.0.1', String(old.port)]);
    const clients = async (url: string) => String(await command(url, 'CLIENT', 'LIST'));
    await expect.poll(() => clients(now.url), SOON).toContain('leque-commands');
    await publishUntilStored(node, 1);
    await expect.poll(() => node.sink.numbers(P), PATIENCE).toEqual([1]);
    // No connection went back to the old master, to be closed when that was demoted.
    const left = node.telemetry.of('broker_disconnected').map(({ detail }) => detail);
    const reason = 'another server is the master now';
    expect(left.toSorted()).toEqual([
      `commands connection: ${reason}`,
      `subscriber connection: ${reason}`,
    ]);
  });

  test('[HON] starts without the first sentinels, and is not ready when there is none', {
    timeout: TIMEOUT,
  }, async () => {
    await using redis = await startSentinel();
    const [first, second, third] = redis.sentinels;
    await first?.kill();
    await second?.kill();
    const options = { url: redis.url, prefix: uniquePrefix() };
    await using node = await startNode(options);
    await expect.poll(health(node), SOON).toEqual({ ok: true });
    await third?.kill();
    await using late = await startNode(options);
    expect(late.broker.health()).toMatchObject({ ok: false });
    await first?.restart();
    await expect.poll(health(late), PATIENCE).toEqual({ ok: true });
  });
});
