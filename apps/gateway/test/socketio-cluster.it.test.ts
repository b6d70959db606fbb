import { openRedis, RedisSettings } from '@leque/broker-redis';
import { readConfig } from '@leque/core';
import { RecordingTelemetry, startRedis, uniquePrefix } from '@leque/testkit';
import { Emitter } from '@socket.io/redis-emitter';
import { io } from 'socket.io-client';
import { expect, test } from 'vitest';
import { redisAdapter } from '../src/index.ts';
import { startGateway, tokenFor } from './support/gateway.ts';

test("code that emits to a user's room through Socket.IO's Redis emitter keeps working", async () => {
  await using redis = await startRedis();
  const settings = readConfig(RedisSettings, {
    REDIS_URL: redis.url,
    REDIS_KEY_PREFIX: uniquePrefix(),
  });
  const drivers = openRedis(settings, { nodeId: 'a', telemetry: new RecordingTelemetry() });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => drivers.close());
  const { broker, state } = drivers;
  const gateway = await startGateway({}, { broker, state, socketIoAdapter: redisAdapter(drivers) });
  stack.use(gateway);

  const received: unknown[] = [];
  const socket = io(`${gateway.url}/events`, { auth: { token: await tokenFor('alice') } });
  stack.defer(() => void socket.disconnect());
  const connected = Promise.withResolvers<void>();
  socket.on('connections.count', () => connected.resolve());
  socket.on('legacy', (payload) => received.push(payload));
  await connected.promise;

  const emitter = new Emitter(drivers.connection()).of('/events');
  emitter.to('user:bob').emit('legacy', { for: 'bob' });
  emitter.to('user:alice').emit('legacy', { for: 'alice' });
  await expect.poll(() => received).toEqual([{ for: 'alice' }]);
});
