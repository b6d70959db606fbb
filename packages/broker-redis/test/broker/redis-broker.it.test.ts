import { uniquePrefix } from '@leque/testkit';
import { type BrokerCluster, describeBrokerContract } from '@leque/testkit/contracts';
import { afterAll, beforeAll } from 'vitest';
import { describeOnEveryRedis, type RedisMode } from '../support/redis-modes.ts';
import { startNode } from '../support/redis-node.ts';

describeOnEveryRedis('RedisBroker', (start) => {
  let redis: RedisMode;
  beforeAll(async () => {
    redis = await start();
  });
  afterAll(() => redis?.[Symbol.asyncDispose]());

  describeBrokerContract(async () => startCluster(redis));
});

function startCluster({ url, command }: RedisMode): BrokerCluster {
  const prefix = uniquePrefix();
  const nodes = new AsyncDisposableStack();
  return {
    node: async () => nodes.use(await startNode({ url, prefix })),
    async expireHistory(channel) {
      await command('DEL', `${prefix}{${channel}}:log`);
    },
    async expireIdempotencyKey(channel, key) {
      await command('DEL', `${prefix}{${channel}}:idem:${key}`);
    },
    [Symbol.asyncDispose]: () => nodes.disposeAsync(),
  };
}
