import { uniquePrefix } from '@leque/testkit';
import { describeClusterStateContract, type StateCluster } from '@leque/testkit/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeOnEveryRedis, type RedisMode } from '../support/redis-modes.ts';
import { startNode } from '../support/redis-node.ts';

describeOnEveryRedis('RedisState', (start) => {
  let redis: RedisMode;
  beforeAll(async () => {
    redis = await start();
  });
  afterAll(() => redis?.[Symbol.asyncDispose]());

  describeClusterStateContract(async () => startCluster(redis.url));

  test('the time of the cluster is that of a server, in milliseconds', async () => {
    await using cluster = startCluster(redis.url);
    const state = await cluster.reader();
    const before = Date.now(); // the server is on the same machine
    const time = await state.time?.();
    expect(time).toBeGreaterThanOrEqual(before - 1);
    expect(time).toBeLessThanOrEqual(Date.now() + 1);
  });
});

function startCluster(url: string): StateCluster {
  const prefix = uniquePrefix();
  const nodes = new AsyncDisposableStack();
  const start = async () => nodes.use(await startNode({ url, prefix }));
  return {
    async node() {
      const node = await start();
      await node.join();
      return node;
    },
    reader: async () => (await start()).state,
    [Symbol.asyncDispose]: () => nodes.disposeAsync(),
  };
}
