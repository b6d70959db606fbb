import { uniquePrefix } from '@leque/testkit';
import {
  type BrokerCluster,
  describeBrokerContract,
  describeOnRedisServers,
} from '@leque/testkit/contracts';
import { afterAll, beforeAll, describe } from 'vitest';
import { REDIS_MODES, type RedisMode } from '../support/redis-modes.ts';
import { startNode } from '../support/redis-node.ts';

for (const [name, start] of REDIS_MODES) {
  const describeMode = name === 'standalone' ? describe : describeOnRedisServers;
  describeMode(`RedisBroker on ${name}`, () => {
    let redis: RedisMode;
    beforeAll(async () => {
      redis = await start();
    });
    afterAll(() => redis[Symbol.asyncDispose]());

    describeBrokerContract(async () => startCluster(redis));
  });
}

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
