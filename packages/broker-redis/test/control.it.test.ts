import { describeOnRedisServers, startRedis, uniquePrefix } from '@leque/testkit';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { command } from './support/foreign-service.ts';
import { REDIS_MODES } from './support/redis-modes.ts';
import { startNode } from './support/redis-node.ts';

for (const [mode, start] of REDIS_MODES) {
  const describeMode = mode === 'standalone' ? describe : describeOnRedisServers;
  describeMode(`RedisControl on ${mode}`, () => {
    test('[NP4] every process answers, the one that asks too, and with nothing where it knows nothing', {
      timeout: 60_000,
    }, async () => {
      await using redis = await start();
      const options = { url: redis.url, prefix: uniquePrefix() };
      await using one = await startNode(options);
      await using other = await startNode({ ...options, receives: false });
      await using idle = await startNode(options);
      for (const [index, node] of [one, other].entries()) {
        node.control.answer('double', (n) => Number(n) * 2 + index);
        node.control.answer('double', (n) => (n === 3 ? 'three' : undefined));
      }
      idle.control.answer('other', () => true);
      const ask = async () => {
        const { answers } = await one.control.ask('double', 3);
        return answers.map(({ body }) => body).sort();
      };
      await expect.poll(ask, { timeout: 10_000 }).toEqual([6, 7, 'three', 'three']);
      const { answers, silent } = await one.control.ask('unheard of', null);
      expect(answers).toEqual([]);
      expect(silent).toBe(mode === 'Cluster' ? undefined : 0);
    });
  });
}

describe('RedisControl', () => {
  test('[LIVE] a process that does not answer is told, and what anybody else publishes there is nothing', async () => {
    await using redis = await startRedis();
    const prefix = uniquePrefix();
    await using one = await startNode({ url: redis.url, prefix });
    one.control.answer('kind', () => 'here');
    one.control.answer('strict', (body) => (body as { readonly name: string }).name.length);
    const ask = async () => (await one.control.ask('kind', null)).answers;
    await expect.poll(ask).toMatchObject([{ body: 'here' }]);
    for (const text of ['', 'null', '[]', '{"id":1}', '{"id":"x","kind":"kind","answer_to":"all"}'])
      await command(redis.url, 'PUBLISH', `${prefix}control`, text);
    expect(await one.control.ask('strict', null)).toEqual({ answers: [], silent: 0 });
    expect(await ask()).toMatchObject([{ body: 'here' }]);
    const deaf = new Redis(redis.url);
    try {
      await deaf.subscribe(`${prefix}control`);
      expect(await one.control.ask('kind', null)).toMatchObject({ silent: 1 });
    } finally {
      deaf.disconnect();
    }
  });
});
