import {
  describeClusterStateContract,
  type StateCluster,
  startRedis,
  uniquePrefix,
} from '@leque/testkit';
import { afterAll, beforeAll, describe } from 'vitest';
import { startNode } from './support/redis-node.ts';

let redis: Awaited<ReturnType<typeof startRedis>>;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

async function startCluster(): Promise<StateCluster> {
  const prefix = uniquePrefix();
  const nodes = new AsyncDisposableStack();
  const start = async () => nodes.use(await startNode({ url: redis.url, prefix }));
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

describe('RedisClusterState', () => describeClusterStateContract(startCluster));
