import { controlKind } from '@leque/core';
import { startFaultProxy, startRedis, startSentinel, uniquePrefix } from '@leque/testkit';
import { describeOnRedisServers } from '@leque/testkit/contracts';
import { Redis } from 'ioredis';
import { Type } from 'typebox';
import { describe, expect, test } from 'vitest';
import { command } from '../support/foreign-service.ts';
import { describeOnEveryRedis } from '../support/redis-modes.ts';
import { startNode } from '../support/redis-node.ts';

const PATIENCE = { timeout: 10_000 };
const kind = (name: string) => controlKind(name, Type.Unknown(), Type.Unknown());
const DOUBLE = kind('double');
const PLACE = kind('kind');

describeOnEveryRedis('RedisControl', (start) => {
  test('[NP4.1] every process answers, the asking one too, with an empty answer when it knows nothing', {
    timeout: 60_000,
  }, async () => {
    await using redis = await start();
    const options = { url: redis.url, prefix: uniquePrefix() };
    await using one = await startNode(options);
    await using other = await startNode({ ...options, receives: false });
    await using idle = await startNode(options);
    for (const [index, node] of [one, other].entries()) {
      node.control.handle(DOUBLE, (n) => Number(n) * 2 + index);
      node.control.handle(DOUBLE, (n) => (n === 3 ? 'three' : undefined));
    }
    idle.control.handle(kind('other'), () => true);
    const ask = async () => {
      const { answers } = await one.control.request(DOUBLE, 3);
      return answers.map(({ body }) => body).sort();
    };
    await expect.poll(ask, { timeout: 10_000 }).toEqual([6, 7, 'three', 'three']);
    const { answers, silent } = await one.control.request(kind('unheard of'), null);
    expect(answers).toEqual([]);
    expect(silent).toBe(redis.isCluster ? undefined : 0);
  });
});

describe('RedisControl', () => {
  test('[LIVE] a process that does not answer is told, and what anybody else publishes there is nothing', async () => {
    await using redis = await startRedis();
    const prefix = uniquePrefix();
    await using one = await startNode({ url: redis.url, prefix });
    one.control.handle(PLACE, () => 'here');
    one.control.handle(kind('strict'), (body) => (body as { readonly name: string }).name.length);
    const ask = async () => (await one.control.request(PLACE, null)).answers;
    await expect.poll(ask).toMatchObject([{ body: 'here' }]);
    for (const text of ['', 'null', '[]', '{"id":1}', '{"id":"x","kind":"kind","answer_to":"all"}'])
      await command(redis.url, 'PUBLISH', `${prefix}control`, text);
    expect(await one.control.request(kind('strict'), null)).toEqual({ answers: [], silent: 0 });
    expect(await ask()).toMatchObject([{ body: 'here' }]);
    const deaf = new Redis(redis.url);
    try {
      await deaf.subscribe(`${prefix}control`);
      expect(await one.control.request(PLACE, null)).toMatchObject({ silent: 1 });
    } finally {
      deaf.disconnect();
    }
  });

  test('[NP4] with a secret of the cluster, only its processes ask and are answered', async () => {
    await using redis = await startRedis();
    const prefix = uniquePrefix();
    const start = (CONTROL_SECRET?: string) =>
      startNode({
        url: redis.url,
        prefix,
        ...(CONTROL_SECRET && { settings: { CONTROL_SECRET } }),
      });
    await using one = await start('a-secret-of-this-cluster-0123456789');
    await using other = await start('a-secret-of-this-cluster-0123456789');
    await using stranger = await start('a-secret-of-another-one-0123456789');
    await using unsigned = await start();
    const nodes = [one, other, stranger, unsigned];
    const asked: number[] = [];
    for (const [index, { control }] of nodes.entries()) {
      control.handle(PLACE, () => {
        asked.push(index);
        return index;
      });
    }
    const ask = async ({ control }: (typeof nodes)[number]) =>
      (await control.request(PLACE, null)).answers.map(({ body }) => body).sort();
    await expect.poll(() => ask(one), PATIENCE).toEqual([0, 1]);
    expect(await one.control.request(PLACE, null)).toMatchObject({ silent: 2 });
    asked.length = 0;
    expect(await ask(stranger)).toEqual([2]);
    // Without a secret nobody is checked, but nobody else answers an unsigned request.
    expect(await ask(unsigned)).toEqual([3]);
    expect(asked.filter((index) => index < 2)).toEqual([]);
  });

  test('[HON] a process whose connection is open and dead hears questions again', {
    timeout: 60_000,
  }, async () => {
    await using redis = await startRedis();
    await using proxy = await startFaultProxy({ target: redis.url });
    const prefix = uniquePrefix();
    await using near = await startNode({ url: redis.url, prefix });
    await using far = await startNode({ url: proxy.through(redis.url), prefix });
    far.control.handle(PLACE, () => 'here');
    const ask = async () => (await near.control.request(PLACE, null)).answers;
    await expect.poll(ask, PATIENCE).toMatchObject([{ body: 'here' }]);
    proxy.halfOpen();
    proxy.restore();
    await expect.poll(ask, PATIENCE).toEqual([]);
    await expect.poll(ask, PATIENCE).toMatchObject([{ body: 'here' }]);
  });
});

describeOnRedisServers('RedisControl behind Sentinel', () => {
  test('[HON] questions reach everybody also while the old master has not been told that it is one', {
    timeout: 60_000,
  }, async () => {
    await using redis = await startSentinel();
    const options = { url: redis.url, prefix: uniquePrefix() };
    await using one = await startNode(options);
    await using other = await startNode({ ...options, receives: false });
    for (const node of [one, other]) node.control.handle(PLACE, () => 'here');
    const ask = async () => (await one.control.request(PLACE, null)).answers.length;
    await expect.poll(ask, PATIENCE).toBe(2);
    const old = await redis.master();
    await redis.failover({ demotesOld: false });
    await expect.poll(ask, PATIENCE).toBe(2);
    expect(await command(old.url, 'ROLE')).toContain('master');
    expect(await command(old.url, 'PUBSUB', 'CHANNELS', `${options.prefix}*`)).toEqual([]);
  });
});
