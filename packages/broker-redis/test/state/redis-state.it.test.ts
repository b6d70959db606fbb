import { uniquePrefix } from '@leque/testkit';
import {
  describeClusterStateContract,
  describeOnRedisServers,
  type StateCluster,
} from '@leque/testkit/contracts';
import { afterAll, beforeAll, describe } from 'vitest';
import { REDIS_MODES, type RedisMode } from '../support/redis-modes.ts';
import { startNode } from '../support/redis-node.ts';

for (const [name, start] of REDIS_MODES) {
  const describeMode = name === 'standalone' ? describe : describeOnRedisServers;
  describeMode(`RedisState on ${name}`, () => {
    let redis: RedisMode;
    beforeAll(async () => {
      redis = await start();
    });
    afterAll(() => redis[Symbol.asyncDispose]());

    describeClusterStateContract(async () => startCluster(redis.url));
  });
}

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
