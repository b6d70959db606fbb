import { openRedis, RedisSettings } from '@leque/broker-redis';
import { readConfig } from '@leque/service';
import { startRedis, startRedisCluster, startSentinel, uniquePrefix } from '@leque/testkit';
import { describeOnRedisServers } from '@leque/testkit/contracts';
import { RecordingTelemetry } from '@leque/testkit/fakes';
import { Emitter } from '@socket.io/redis-emitter';
import { io } from 'socket.io-client';
import { describe, expect, test } from 'vitest';
import { redisAdapter } from '../src/index.ts';
import { startGateway, tokenFor } from './support/gateway.ts';

const TIMEOUT = { timeout: 60_000 };
const PATIENCE = { timeout: 10_000 };

describe("Socket.IO's own cluster calls", () => {
  describe('on standalone Redis', () => describeAdapter(() => startRedis()));
  describeOnRedisServers('on Sentinel', () => describeAdapter(() => startSentinel()));
  describeOnRedisServers('on a Redis Cluster', () => describeAdapter(() => startRedisCluster()));
});

function describeAdapter(start: () => Promise<AsyncDisposable & { readonly url: string }>): void {
  test("let code emit to a user's room through Socket.IO's Redis emitter", TIMEOUT, async () => {
    await using redis = await start();
    const settings = settingsFor(redis.url);
    await using one = await startNode(settings);
    await using other = await startNode(settings);
    const sockets = [await one.connect('alice'), await other.connect('alice')];
    const emitter = new Emitter(one.drivers.connection()).of('/events');
    emitter.to('user:bob').emit('legacy', { for: 'bob' });
    emitter.to('user:alice').emit('legacy', { for: 'alice' });
    for (const { received } of sockets) {
      await expect.poll(() => received, PATIENCE).toEqual([{ for: 'alice' }]);
    }
  });
}

function settingsFor(url: string): RedisSettings {
  return readConfig(RedisSettings, { REDIS_URL: url, REDIS_KEY_PREFIX: uniquePrefix() });
}

async function startNode(settings: RedisSettings) {
  const stack = new AsyncDisposableStack();
  const telemetry = new RecordingTelemetry();
  const drivers = openRedis(settings, { nodeId: 'a', telemetry });
  stack.defer(() => drivers.close());
  const { broker, state } = drivers;
  const parts = { broker, state, socketIoAdapter: redisAdapter(drivers) };
  const gateway = stack.use(await startGateway({}, parts));
  return {
    drivers,
    async connect(userId: string) {
      const received: unknown[] = [];
      const socket = io(`${gateway.url}/events`, { auth: { token: await tokenFor(userId) } });
      stack.defer(() => void socket.disconnect());
      const connected = Promise.withResolvers<void>();
      socket.on('connections.count', () => connected.resolve());
      socket.on('legacy', (payload) => received.push(payload));
      await connected.promise;
      return { received };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
