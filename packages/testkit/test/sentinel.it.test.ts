import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { describeOnRedisServers } from '../src/contracts/index.ts';
import { startSentinel, type TestRedis } from '../src/index.ts';

const TIMEOUT_MS = 60_000;

describeOnRedisServers('startSentinel', () => {
  test('replicates writes, and promotes the replica on demand', {
    timeout: TIMEOUT_MS,
  }, async () => {
    await using sentinel = await startSentinel();
    const [old, replica] = [await sentinel.master(), await sentinel.replica()];
    expect(await on(old, (redis) => redis.set('k', 'v'))).toBe('OK');
    await expect.poll(() => on(replica, (redis) => redis.get('k'))).toBe('v');
    expect(await sentinel.failover()).toBe(replica);
    expect(await on(replica, (redis) => redis.set('k', 'w'))).toBe('OK');
    await sentinel.settled();
    expect(await sentinel.replica()).toBe(old);
    await expect.poll(() => on(old, (redis) => redis.get('k'))).toBe('w');
  });

  test('lets a replica take over from a killed master, which follows it later', {
    timeout: TIMEOUT_MS,
  }, async () => {
    await using sentinel = await startSentinel({ appendonly: true });
    const [old, replica] = [await sentinel.master(), await sentinel.replica()];
    await on(old, (redis) => redis.set('k', 'v'));
    await on(old, (redis) => redis.wait(1, 1000));
    await old.kill();
    expect(await sentinel.promoted(old)).toBe(replica);
    expect(await on(replica, (redis) => redis.get('k'))).toBe('v');
    await old.restart();
    await sentinel.settled();
    expect(await sentinel.master()).toBe(replica);
  });

  test('lets clients find the master by the URL, even after it was frozen', {
    timeout: TIMEOUT_MS,
  }, async () => {
    await using sentinel = await startSentinel();
    const [, hosts = '', name = ''] = /^redis\+sentinel:\/\/(.*)\/(.*)$/.exec(sentinel.url) ?? [];
    const sentinels = hosts.split(',').map((host) => {
      const { hostname, port } = new URL(`redis://${host}`);
      return { host: hostname, port: Number(port) };
    });
    const find = () => withClient(new Redis({ sentinels, name }), (redis) => redis.info('server'));
    const old = await sentinel.master();
    expect(await find()).toContain(`tcp_port:${old.port}`);
    await old.pause();
    const { port } = await sentinel.promoted(old);
    expect(await find()).toContain(`tcp_port:${port}`);
    await old.resume();
    await sentinel.settled();
  });
});

function on<T>({ url }: TestRedis, use: (redis: Redis) => Promise<T>): Promise<T> {
  return withClient(new Redis(url), use);
}

async function withClient<T>(redis: Redis, use: (redis: Redis) => Promise<T>): Promise<T> {
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}
