import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import { withAnnouncedHosts } from './announced-hosts.ts';
import { accessOptions, sentinelOptions, serverEndpoint } from './client-options.ts';
import type { RedisAddress, RedisClusterAddress } from './redis-address.ts';
import { CONNECT_TIMEOUT_MS, retryStrategy } from './redis-connection.ts';
import { handleFailures, RetryingConnection } from './retrying-connection.ts';
import { askFirst } from './sentinel-connector.ts';
import type { SentinelWatch } from './sentinel-watch.ts';

/** The REDIS_KEY_PREFIX of an installation that sets none. */
export const DEFAULT_PREFIX = 'leque:';

/** The `key` that Socket.IO's adapter and its emitters have by themselves. */
const DEFAULT_KEY = 'socket.io';

/**
 * The `key` of Socket.IO's adapter, which begins its channels. With the default prefix it is
 * Socket.IO's own, so that emitters of an earlier system reach the clients unmodified. With any other
 * prefix it belongs to that installation, because adapters of one key reach each other's clients.
 */
export function adapterKey(prefix: string): string {
  return prefix === DEFAULT_PREFIX ? DEFAULT_KEY : `${prefix}${DEFAULT_KEY}`;
}

export interface AdapterConnection {
  readonly redis: Redis | Cluster;
  close(): void;
}

/**
 * Opens a connection for a library that brings its own protocol: it waits for Redis however long
 * that takes, because such a library subscribes once and never again. In a Redis Cluster it leads to
 * all servers, and what is published reaches all.
 * @param watch closed by the caller; without it the connection goes to another master only when the
 *   old one ends it
 */
export function openAdapterConnection(
  address: RedisAddress,
  watch?: SentinelWatch,
): AdapterConnection {
  if (address.kind === 'cluster') return openClusterConnection(address);
  if (address.kind === 'server') return new RetryingConnection(serverEndpoint(address)(OPTIONS));
  const connection = new RetryingConnection(
    new Redis({
      ...OPTIONS,
      ...sentinelOptions(address),
      ...(watch && { Connector: askFirst(watch) }),
    }),
  );
  if (watch !== undefined) connection.onClose(watch.onFailover(() => connection.leave()));
  return connection;
}

const OPTIONS = {
  retryStrategy,
  connectTimeout: CONNECT_TIMEOUT_MS,
  disconnectTimeout: 200,
  maxRetriesPerRequest: null,
} as const satisfies RedisOptions;

function openClusterConnection(address: RedisClusterAddress): AdapterConnection {
  const cluster = new Cluster([...address.hosts], clusterOptions(address));
  const redis = handleFailures(withAnnouncedHosts(cluster));
  return { redis, close: () => redis.disconnect() };
}

function clusterOptions(address: RedisClusterAddress): ClusterOptions {
  return {
    clusterRetryStrategy: retryStrategy,
    redisOptions: { connectTimeout: CONNECT_TIMEOUT_MS, ...accessOptions(address) },
    // The connecting side resolves names, so that certificates match them.
    ...(address.tls && { dnsLookup: (name, callback) => callback(null, name) }),
  };
}
