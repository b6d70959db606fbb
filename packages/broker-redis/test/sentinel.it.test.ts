import { describeOnRedisServers, makeEvent, startSentinel, uniquePrefix } from '@leque/testkit';
import { expect, test } from 'vitest';
import { command } from './support/foreign-service.ts';
import { type RedisNode, startNode } from './support/redis-node.ts';

const PATIENCE = { timeout: 15_000 };
/** What HON allows. */
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
  return { redis, one, other, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const publish = (node: RedisNode, n: number, channel = P) =>
  node.broker.publish(makeEvent(channel, { n }, { idempotency_key: String(n) }));

async function publishUntilStored(node: RedisNode, n: number): Promise<void> {
  await expect.poll(() => publish(node, n).then(() => true, String), PATIENCE).toBe(true);
}

describeOnRedisServers('Sentinel', () => {
  test('[GAP] [HON] both connections of a node follow to the new master when the old one dies', {
    timeout: TIMEOUT,
  }, async () => {
    await using all = await startNodes();
    const { redis, one, other } = all;
    for (const n of range(1, 5)) await publish(one, n);
    const before = (await one.broker.history(P, undefined, 1)).position;
    const old = await redis.master();
    await redis.settled();
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
    const page = await other.broker.history(P, before, 10);
    expect(page).toMatchObject({ complete: true });
    expect(page.publications).toHaveLength(3);
  });

  test('[GAP] [HON] a master that freezes is left within seconds, also once it is back', {
    timeout: TIMEOUT,
  }, async () => {
    await using all = await startNodes();
    const { redis, one, other } = all;
    await publish(one, 1);
    await redis.settled();
    const old = await redis.master();
    await old.pause();
    await expect.poll(() => one.broker.health().ok, SOON).toBe(false);
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

  test('[GAP] what a promoted replica lacks is said, and never passed off as something else', {
    timeout: TIMEOUT,
  }, async () => {
    await using all = await startNodes();
    const { redis, one, other } = all;
    await publish(one, 1);
    await redis.settled();
    const [old, replica] = [await redis.master(), await redis.replica()];
    await replica.pause();
    await command(old.url, 'CLIENT', 'KILL', 'TYPE', 'replica');
    for (const n of [2, 3]) await publish(one, n);
    await expect.poll(() => other.sink.numbers(P)).toEqual([1, 2, 3]);
    await old.kill();
    await replica.resume();
    await publishUntilStored(one, 4);
    await publishUntilStored(one, 5);
    for (const { sink } of [one, other]) {
      await expect.poll(() => sink.numbers(P), PATIENCE).toEqual([1, 2, 3, 4, 5]);
      const resynced = sink.of(P).findIndex(({ kind }) => kind === 'resync');
      expect(resynced).toBe(3);
    }
  });

  test('[HON] a node that is left on a demoted master goes where the sentinels say', {
    timeout: TIMEOUT,
  }, async () => {
    await using all = await startNodes();
    const { redis, one, other } = all;
    await publish(one, 1);
    const now = await redis.failover();
    await publishUntilStored(one, 2);
    await publishUntilStored(other, 3);
    for (const node of [one, other]) {
      await expect.poll(health(node), PATIENCE).toEqual({ ok: true });
      await expect.poll(() => node.sink.numbers(P), PATIENCE).toEqual([1, 2, 3]);
    }
    const clients = async () => String(await command(now.url, 'CLIENT', 'LIST'));
    await expect
      .poll(async () => (await clients()).match(/leque-\w+/g)?.toSorted())
      .toEqual([
        ...range(1, 2).map(() => 'leque-commands'),
        ...range(1, 2).map(() => 'leque-subscriber'),
      ]);
  });

  test('[HON] a node starts without its first sentinels, and says so when there is none', {
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
