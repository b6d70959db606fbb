import { openRedis, type RedisDrivers, RedisSettings } from '@leque/broker-redis';
import { readConfig } from '@leque/service';
import { startRedis, startRedisCluster, startSentinel, uniquePrefix } from '@leque/testkit';
import { describeOnOwnRedis, describeOnRedisServers } from '@leque/testkit/contracts';
import { RecordingTelemetry } from '@leque/testkit/fakes';
import { createAdapter } from '@socket.io/redis-adapter';
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
    const user = 'auth0|a*';
    const sockets = [await one.connect(user), await other.connect(user)];
    const emitter = emitterOf(one);
    for (const stranger of ['bob', 'auth0%7Ca%2A', 'auth0|ab']) {
      emitter.to(`user:${stranger}`).emit('legacy', { for: stranger });
    }
    emitter.to(`user:${user}`).emit('legacy', { for: user });
    for (const { received } of sockets) {
      await expect.poll(() => received, PATIENCE).toEqual([{ for: user }]);
    }
  });
}

describeOnOwnRedis('two installations on one Redis', () => {
  test("[ISO] do not reach each other's clients by Socket.IO's own cluster calls", async () => {
    await using redis = await startRedis({ own: true });
    await using production = await startNode(settingsFor(redis.url, 'leque:'));
    await using staging = await startNode(settingsFor(redis.url));
    const clients = {
      production: await production.connect('alice'),
      staging: await staging.connect('alice'),
    };
    const emitters = { production: emitterOf(production), staging: emitterOf(staging) };
    // An emitter of an earlier system names no key, and reaches those with the default prefix.
    const unmodified = new Emitter(staging.drivers.connection()).of('/events');
    for (const emitter of [unmodified, emitters.staging, emitters.production]) {
      emitter.to('user:alice').emit('legacy', emitter === emitters.staging ? 'S' : 'P');
    }
    await expect.poll(() => clients.production.received, PATIENCE).toEqual(['P', 'P']);
    await expect.poll(() => clients.staging.received, PATIENCE).toEqual(['S']);
    await expect.poll(socketsOf(production), PATIENCE).toEqual([clients.production.id]);
    await expect.poll(socketsOf(staging), PATIENCE).toEqual([clients.staging.id]);
    emitters.staging.disconnectSockets(true);
    await expect.poll(() => clients.staging.isConnected, PATIENCE).toBe(false);
    emitters.production.emit('legacy', 'last');
    await expect.poll(() => clients.production.received, PATIENCE).toEqual(['P', 'P', 'last']);
    expect(clients.production.isConnected).toBe(true);
  });
});

function settingsFor(url: string, prefix = uniquePrefix()): RedisSettings {
  return readConfig(RedisSettings, { REDIS_URL: url, REDIS_KEY_PREFIX: prefix });
}

/** Makes an emitter as another service has it. */
function emitterOf({ drivers }: { readonly drivers: RedisDrivers }) {
  return new Emitter(drivers.connection(), { key: drivers.adapterKey }).of('/events');
}

/** Asks for the sockets as another Socket.IO server on that Redis does, once it has subscribed. */
function socketsOf({ drivers }: { readonly drivers: RedisDrivers }): () => Promise<string[]> {
  const connections = [drivers.connection(), drivers.connection()] as const;
  const server = { encoder: { encode: () => [] } };
  const namespace = { name: '/events', sockets: new Map(), server };
  const adapter = createAdapter(...connections, { key: drivers.adapterKey })(namespace);
  return async () => {
    const sockets = await adapter.fetchSockets({ rooms: new Set(), except: new Set() });
    return sockets.map(({ id }: { id: string }) => id);
  };
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
      return {
        received,
        id: socket.id,
        get isConnected() {
          return socket.connected;
        },
      };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
