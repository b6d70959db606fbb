import { setTimeout as delay } from 'node:timers/promises';
import {
  type Broker,
  type BrokerReadings,
  type Clock,
  type ClusterState,
  type Control,
  eventOptions,
  historyOptions,
  systemClock,
  type Telemetry,
} from '@leque/core';
import type { Cluster, Redis } from 'ioredis';
import { ChannelLog } from './broker/channel-log.ts';
import { RedisBroker } from './broker/redis-broker.ts';
import {
  type AdapterConnection,
  adapterKey,
  openAdapterConnection,
} from './connection/adapter-connection.ts';
import { sentinelEndpoint, serverEndpoint } from './connection/client-options.ts';
import { QuietTelemetry } from './connection/quiet-telemetry.ts';
import { parseRedisUrl, type RedisAddress } from './connection/redis-address.ts';
import { SentinelWatch } from './connection/sentinel-watch.ts';
import { tlsOptions } from './connection/tls-options.ts';
import { RedisControl } from './control/redis-control.ts';
import { type Inspection, inspectRedis } from './inspection/inspection.ts';
import type { Rights } from './inspection/rights.ts';
import { ProbeCounts } from './link/probe-counts.ts';
import type { LinkDeps, RedisLink } from './link/redis-link.ts';
import { SingleLink } from './link/single-link.ts';
import { RedisClusterLink } from './redis-cluster/redis-cluster-link.ts';
import { type RedisSettings, usesSentinelTls } from './settings.ts';
import { RedisState } from './state/redis-state.ts';

/** Counts are right 10 seconds after a crash (CNT); other nodes notice one renewal after the lease. */
const LEASE_MS = 8_000;
const SETTLING_MS = 1_000;
const SETTLING_STEP_MS = 20;

export interface RedisContext {
  /** Name of this process in its lease. */
  readonly nodeId: string;
  readonly telemetry: Telemetry;
  /** Signs requests between processes where CONTROL_SECRET is not set. */
  readonly secret?: string | undefined;
  /** Milliseconds for which a crashed node still counts; 8,000 by default. */
  readonly leaseMs?: number;
  readonly clock?: Clock;
}

/** Broker, cluster state and control on Redis, which share their connections. */
export interface RedisDrivers {
  readonly broker: Broker;
  readonly state: ClusterState;
  readonly control: Control;
  /**
   * Waits a moment for the first connection, and never rejects; `broker.health()` reports the
   * outcome. Starting the broker and joining the state connect as well.
   */
  connect(): Promise<void>;
  /**
   * Why waiting for Redis cannot help, in one sentence, as long as that lasts: only a change of the
   * configuration or of the server helps. A process that starts ends then, and one that runs waits.
   */
  refusal(): string | undefined;
  readonly readings: BrokerReadings;
  /** Opens a connection for a library that needs its own; `close` closes it. */
  connection(): Redis | Cluster;
  /** The `key` of Socket.IO's adapter, which begins its channels. */
  readonly adapterKey: string;
  /**
   * Reads facts about the servers, and whether the app has all rights that it needs there. Call
   * `connect` before.
   * @throws ProtocolError `unavailable` when a server does not answer or refuses
   */
  inspect(app: Rights['app']): Promise<Inspection>;
  /** Closes `state`, `broker` and `control` in this order, and then the connections. Idempotent. */
  close(): Promise<void>;
}

/** Prepares the drivers; connections open with their first use. */
export function openRedis(settings: RedisSettings, context: RedisContext): RedisDrivers {
  const { REDIS_KEY_PREFIX: prefix } = settings;
  const { nodeId, leaseMs = LEASE_MS, clock = systemClock } = context;
  const telemetry = new QuietTelemetry(context.telemetry, clock);
  const ports = { telemetry, clock };
  const address = addressIn(settings);
  const probes = new ProbeCounts();
  const events = eventOptions(settings);
  const limits = { ...historyOptions(settings), events };
  const parts = { prefix, nodeId, limits, probes, ...ports };
  const { link, open } = connectionsTo(address, parts);
  const log = new ChannelLog(link, prefix, telemetry);
  const adapterConnections: AdapterConnection[] = [];
  const openAdapter = () => {
    const connection = open();
    adapterConnections.push(connection);
    return connection.redis;
  };
  const state = new RedisState({ link, prefix, nodeId, leaseMs, ...ports });
  const control = new RedisControl({
    link,
    open: openAdapter,
    prefix,
    nodeId,
    secret: settings.CONTROL_SECRET ?? context.secret,
    ...ports,
  });
  const broker = new RedisBroker({ link, log, prefix, events, ...ports });
  return {
    broker,
    state,
    control,
    readings: {
      probeSeconds: probes.seconds,
      get probesMissed() {
        return probes.missed;
      },
      leaseAgeMs: () => state.leaseAgeMs,
    },
    connect: () => connectAndSettle(link, clock),
    refusal: () => link.refusal(),
    connection: openAdapter,
    adapterKey: adapterKey(prefix),
    inspect: (app) => inspectRedis(address, { app, prefix }),
    async close() {
      await state.close();
      await broker.close();
      await control.close();
      link.close();
      for (const each of adapterConnections) each.close();
      telemetry.close();
    },
  };
}

/** Connects, and waits a moment until it is certain whether Redis serves this process. */
async function connectAndSettle(link: RedisLink, clock: Clock): Promise<void> {
  await link.connect();
  const giveUpAt = clock.monotonic() + SETTLING_MS;
  const isOpen = () => link.problems().length > 0 && link.refusal() === undefined;
  while (isOpen() && clock.monotonic() < giveUpAt) await delay(SETTLING_STEP_MS);
}

function addressIn(settings: RedisSettings): RedisAddress {
  const parsed = parseRedisUrl(settings.REDIS_URL);
  const tls = parsed.tls === undefined ? undefined : tlsOptions(settings);
  if (parsed.kind !== 'sentinel') return { ...parsed, tls };
  const { REDIS_SENTINEL_USERNAME: username, REDIS_SENTINEL_PASSWORD: password } = settings;
  const isSecure = usesSentinelTls(settings, tls !== undefined);
  const sentinels = { username, password, tls: isSecure ? tlsOptions(settings) : undefined };
  return { ...parsed, tls, sentinels };
}

/** @returns the link, and `open` for connections of libraries that need their own */
function connectionsTo(
  address: RedisAddress,
  parts: LinkDeps,
): { link: RedisLink; open: () => AdapterConnection } {
  if (address.kind === 'sentinel') {
    const watch = new SentinelWatch(address);
    const link = new SingleLink({ endpoint: sentinelEndpoint(address, watch), watch }, parts);
    return { link, open: () => openAdapterConnection(address, watch) };
  }
  const open = () => openAdapterConnection(address);
  if (address.kind === 'cluster') return { link: new RedisClusterLink(address, parts), open };
  return { link: new SingleLink({ endpoint: serverEndpoint(address) }, parts), open };
}
