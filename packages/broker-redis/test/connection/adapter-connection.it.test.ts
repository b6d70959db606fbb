import { startFaultProxy, startRedis } from '@leque/testkit';
import { expect, test } from 'vitest';
import { openAdapterConnection } from '../../src/connection/adapter-connection.ts';
import { parseRedisUrl } from '../../src/connection/redis-address.ts';

const PATIENCE = { timeout: 15_000 };

test('[HON] a connection that is accepted but never answered is replaced', {
  timeout: 60_000,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis());
  const proxy = stack.use(await startFaultProxy({ target: redis.url }));
  const address = parseRedisUrl(proxy.through(redis.url));
  const connection = openAdapterConnection(address);
  stack.defer(() => connection.close());
  await expect.poll(() => connection.redis.status).toBe('ready');
  proxy.halfOpen();
  await expect.poll(() => connection.redis.status, PATIENCE).toBe('connect');
  proxy.restore();
  await expect.poll(() => connection.redis.status, PATIENCE).toBe('ready');
});
