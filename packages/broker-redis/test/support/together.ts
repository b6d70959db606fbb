import { type RedisGroupOptions, startFaultProxy, startRedis, uniquePrefix } from '@leque/testkit';
import { startNode } from './redis-node.ts';

/** Starts a Redis, a node that reaches it through a proxy, and one that reaches it directly. */
export async function startTogether(options: RedisGroupOptions = {}) {
  const stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis({ own: true, ...options }));
  const proxy = stack.use(await startFaultProxy({ target: redis.url }));
  const prefix = uniquePrefix();
  const far = stack.use(await startNode({ url: proxy.through(redis.url), prefix }));
  const near = stack.use(await startNode({ url: redis.url, prefix }));
  return { redis, proxy, far, near, prefix, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
