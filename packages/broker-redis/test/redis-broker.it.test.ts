import {
  type BrokerCluster,
  describeBrokerContract,
  startRedis,
  uniquePrefix,
} from '@leque/testkit';
import { afterAll, beforeAll, describe } from 'vitest';
import { command } from './support/foreign-service.ts';
import { startNode } from './support/redis-node.ts';

let redis: Awaited<ReturnType<typeof startRedis>>;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

async function startCluster(): Promise<BrokerCluster> {
  const prefix = uniquePrefix();
  const { url } = redis;
  const nodes = new AsyncDisposableStack();
  return {
    node: async () => nodes.use(await startNode({ url, prefix })),
    async expireHistory(channel) {
      await command(url, 'DEL', `${prefix}{${channel}}:log`);
    },
    async expireIdempotencyKey(channel, key) {
      await command(url, 'DEL', `${prefix}{${channel}}:idem:${key}`);
    },
    [Symbol.asyncDispose]: () => nodes.disposeAsync(),
  };
}

describe('RedisBroker', () => describeBrokerContract(startCluster));
