import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { startRedisContainer } from '../src/redis/redis-container.ts';

test('a Redis in a container keeps its address and its data over a kill, and can be frozen', async () => {
  await using redis = await startRedisContainer({ appendonly: true });
  const client = new Redis(redis.url, { commandTimeout: 500, maxRetriesPerRequest: 0 });
  client.on('error', () => {}); // it is killed
  try {
    expect(await client.set('k', 'v')).toBe('OK');
    // An append-only file is written once a second.
    await expect
      .poll(async () => (await client.info('persistence')).includes('aof_pending_bio_fsync:0'))
      .toBe(true);
    await redis.kill();
    await expect(client.get('k')).rejects.toThrow();
    await redis.restart();
    await expect.poll(() => client.get('k').catch(() => undefined), { timeout: 10_000 }).toBe('v');
    await redis.pause();
    await expect(client.get('k')).rejects.toThrow();
    await redis.resume();
    await expect.poll(() => client.get('k').catch(() => undefined), { timeout: 10_000 }).toBe('v');
  } finally {
    client.disconnect();
  }
});
