import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import { accessOptions, sentinelOptions } from './client-options.ts';
import type { RedisAddress, RedisClusterAddress } from './redis-address.ts';
import { CONNECT_TIMEOUT_MS, retryStrategy } from './redis-connection.ts';
import { handleFailures, RetryingConnection } from './retrying-connection.ts';
import { askFirst } from './sentinel-connector.ts';
import type { SentinelWatch } from './sentinel-watch.ts';

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
  if (address.kind === 'server') return new RetryingConnection(new Redis(address.url, OPTIONS));
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
  const redis = handleFailures(new Cluster([...address.hosts], clusterOptions(address)));
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
