import {
  type Broker,
  type Clock,
  type ClusterState,
  historyLimits,
  systemClock,
  type Telemetry,
} from '@leque/core';
import type { Redis } from 'ioredis';
import { ChannelLog } from './channel-log.ts';
import { FunctionCheck } from './function-check.ts';
import { FunctionLibrary } from './function-library.ts';
import { Probe } from './probe.ts';
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
  readonly clock?: Clock;
}

/** What a process has of Redis: a broker and a cluster state that share two connections. */
export interface RedisDrivers {
  readonly broker: Broker;
  readonly state: ClusterState;
  /**
   * Waits a moment for Redis, and never fails: `broker.health()` says how it went. For a process
   * that only publishes and asks; starting the broker and joining the state connect by themselves.
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
  const { telemetry, nodeId, leaseMs = LEASE_MS, clock = systemClock } = context;
  const ports = { telemetry, clock };
  const commands = new RedisConnection(url, 'commands', ports);
  const subscribing = new RedisConnection(url, 'subscriber', ports);
  const subscriber = new RedisSubscriber(subscribing, ports);
  const redisChannel = `${prefix}{node:${nodeId}}`;
  const { redis } = commands;
  const probe = new Probe({ redisChannel, commands: redis, subscriber, subscribing, clock });
  const library = new FunctionLibrary(redis, historyLimits(settings), telemetry);
  const adapterConnections: Redis[] = [];
  let receiving: Promise<void> | undefined;
  const receives = () => receiving !== undefined;
  const check = new FunctionCheck({ library, redis, prefix, receives, ...ports });

  async function connect(): Promise<void> {
    await commands.connect();
    await library.load().catch(() => {}); // reported above, and told by problems()
  }
  async function receive(): Promise<void> {
    probe.start();
    await Promise.all([connect(), subscribing.connect()]);
  }
  const link: RedisLink = {
    subscriber,
    receive() {
      receiving ??= receive();
      return receiving;
    },
    problems() {
      const connections = receiving === undefined ? [commands] : [commands, subscribing];
      const broken = connections.filter((each) => !each.ready);
      if (broken.length > 0) return broken.map((each) => each.problem);
      const received = receiving && (subscriber.problem ?? probe.problem);
      return [check.problem, received].filter((problem) => problem !== undefined);
    },
  };
  const log = new ChannelLog(library, prefix);
  return {
    broker: new RedisBroker({ link, log, prefix, ...ports }),
    state: new RedisClusterState({ redis, library, link, prefix, nodeId, leaseMs, ...ports }),
    connect,
    connection() {
      const connection = new AdapterConnection(url);
      adapterConnections.push(connection);
      return connection;
    },
    async close() {
      check.stop();
      probe.stop();
      subscriber.close();
      for (const each of [commands, subscribing]) each.close();
      for (const each of adapterConnections) each.disconnect();
    },
  };
}
