import { Cluster, type ClusterOptions, type Redis, type RedisOptions } from 'ioredis';
import { PatientConnection, unwatched } from './patient-connection.ts';
import {
  accessOptions,
  type RedisAddress,
  type RedisClusterAddress,
  sentinelOptions,
} from './redis-address.ts';
import { CONNECT_TIMEOUT_MS, retryStrategy } from './redis-connection.ts';
import { askFirst } from './sentinel-connector.ts';
import type { SentinelWatch } from './sentinel-watch.ts';

/**
 * A connection for a library that brings its own protocol: it waits for Redis however long that
 * takes, as such a library subscribes once and never again. In a Cluster it is to all servers, and
 * what is published reaches all.
 * @param watch of the sentinels, which is started by somebody else; without it the connection goes to
 *   another master when the old one ends it
 */
export function openAdapterConnection(
  address: RedisAddress,
  watch?: SentinelWatch,
): Redis | Cluster {
  if (address.kind === 'cluster') return new RetryingCluster(address);
  if (address.kind === 'server') return new PatientConnection(address.url, OPTIONS);
  const connection = new PatientConnection({
    ...OPTIONS,
    ...sentinelOptions(address),
    Connector: askFirst(() => watch?.informed),
  });
  if (watch !== undefined) connection.onClosed(watch.onSwitched(() => connection.leave()));
  return connection;
}

const OPTIONS = {
  retryStrategy,
  connectTimeout: CONNECT_TIMEOUT_MS,
  disconnectTimeout: 200,
  maxRetriesPerRequest: null,
} as const satisfies RedisOptions;

/** The connections of the broker report the same failures. */
const ignore = () => {};

class RetryingCluster extends Cluster {
  constructor(address: RedisClusterAddress) {
    super([...address.hosts], clusterOptions(address));
    this.on('error', ignore);
  }

  override sendCommand(...args: Parameters<Cluster['sendCommand']>): unknown {
    return unwatched(super.sendCommand(...args));
  }
}

function clusterOptions(address: RedisClusterAddress): ClusterOptions {
  return {
    clusterRetryStrategy: retryStrategy,
    redisOptions: { connectTimeout: CONNECT_TIMEOUT_MS, ...accessOptions(address) },
    // Names are resolved by whoever connects, so that certificates fit them.
    ...(address.tls && { dnsLookup: (name, callback) => callback(null, name) }),
  };
}
