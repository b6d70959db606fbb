import { type Broker, type ClusterState, historyLimits, type Telemetry } from '@leque/core';
import type { Redis } from 'ioredis';
import { ChannelLog } from './channel-log.ts';
import { FunctionLibrary } from './function-library.ts';
import { RedisBroker } from './redis-broker.ts';
import { RedisClusterState } from './redis-cluster-state.ts';
import { AdapterConnection, RedisConnection } from './redis-connection.ts';
import type { RedisLink } from './redis-link.ts';
import { RedisSubscriber } from './redis-subscriber.ts';
import type { RedisSettings } from './settings.ts';

/** Counts are right 10 seconds after a crash (CNT): the others need a renewal's time to notice. */
const LEASE_MS = 8_000;

export interface RedisContext {
  /** Names this process in its lease. */
  readonly nodeId: string;
  readonly telemetry: Telemetry;
  /** How long a node that crashed still counts; 8 seconds. */
  readonly leaseMs?: number;
}

/** What a process has of Redis: a broker and a cluster state that share two connections. */
export interface RedisDrivers {
  readonly broker: Broker;
  readonly state: ClusterState;
  /**
   * Waits a moment for Redis, and never fails: `broker.health()` says how it went. Starting the
   * broker and joining the state do it too; a process that only publishes calls it.
   */
  connect(): Promise<void>;
  /** Another connection, for a library that brings its own protocol; closed with the rest. */
  connection(): Redis;
  /** Closes the connections; `broker` and `state` are closed before it. */
  close(): Promise<void>;
}

/** Describes the connections; nothing is connected yet. */
export function openRedis(settings: RedisSettings, context: RedisContext): RedisDrivers {
  const { REDIS_URL: url, REDIS_KEY_PREFIX: prefix } = settings;
  const { telemetry, nodeId, leaseMs = LEASE_MS } = context;
  const commands = new RedisConnection(url, 'commands', telemetry);
  const subscribing = new RedisConnection(url, 'subscriber', telemetry);
  const subscriber = new RedisSubscriber(subscribing.redis, telemetry);
  const library = new FunctionLibrary(commands.redis, historyLimits(settings), telemetry);
  const adapterConnections: Redis[] = [];
  commands.redis.on('ready', () => {
    library.load().catch((error: unknown) => {
      telemetry.report({ type: 'failure', where: 'load functions', error });
    });
  });

  const link: RedisLink = {
    subscriber,
    async connect() {
      await Promise.all([commands.connect(), subscribing.connect()]);
      await library.load().catch(() => {}); // reported above, and told by problems()
    },
    problems() {
      const connections = [commands, subscribing].filter((each) => !each.ready);
      if (connections.length > 0) return connections.map((each) => each.problem);
      if (library.problem !== undefined) return [library.problem];
      return subscriber.complete ? [] : ['channels are being subscribed again'];
    },
  };
  const redis = commands.redis;
  const log = new ChannelLog(library, prefix);
  return {
    broker: new RedisBroker({ link, log, prefix, telemetry }),
    state: new RedisClusterState({ redis, library, link, prefix, nodeId, leaseMs, telemetry }),
    connect: link.connect,
    connection() {
      const connection = new AdapterConnection(url);
      adapterConnections.push(connection);
      return connection;
    },
    async close() {
      subscriber.close();
      for (const each of [commands, subscribing]) each.close();
      for (const each of adapterConnections) each.disconnect();
    },
  };
}
