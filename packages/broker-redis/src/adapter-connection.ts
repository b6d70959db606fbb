import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import {
  accessOptions,
  type ClusterAddress,
  type RedisAddress,
  sentinelOptions,
} from './redis-address.ts';
import { CONNECT_TIMEOUT_MS, retryStrategy } from './redis-connection.ts';

/**
 * A connection for a library that brings its own protocol: it waits for Redis however long that
 * takes, as such a library subscribes once and never again. In a Cluster it is to all servers, and
 * what is published reaches all.
 */
export function openAdapterConnection(address: RedisAddress): Redis | Cluster {
  if (address.kind === 'cluster') return new AdapterCluster(address);
  if (address.kind === 'server') return new AdapterConnection(address.url, OPTIONS);
  return new AdapterConnection({ ...OPTIONS, ...sentinelOptions(address) });
}

const OPTIONS = {
  retryStrategy,
  connectTimeout: CONNECT_TIMEOUT_MS,
  maxRetriesPerRequest: null,
} as const satisfies RedisOptions;

/** The connections of the broker report the same failures. */
const ignore = () => {};

class AdapterConnection extends Redis {
  constructor(...target: [url: string, options: RedisOptions] | [options: RedisOptions]) {
    super(...(target as [RedisOptions]));
    this.on('error', ignore);
  }

  /** Socket.IO's adapter looks at no outcome, and a failure that nobody looks at ends the process. */
  override sendCommand(...args: Parameters<Redis['sendCommand']>): unknown {
    return unwatched(super.sendCommand(...args));
  }
}

class AdapterCluster extends Cluster {
  constructor(address: ClusterAddress) {
    super([...address.hosts], clusterOptions(address));
    this.on('error', ignore);
  }

  override sendCommand(...args: Parameters<Cluster['sendCommand']>): unknown {
    return unwatched(super.sendCommand(...args));
  }
}

function clusterOptions(address: ClusterAddress): ClusterOptions {
  return {
    clusterRetryStrategy: retryStrategy,
    redisOptions: { connectTimeout: CONNECT_TIMEOUT_MS, ...accessOptions(address) },
    // Names are resolved by whoever connects, so that certificates fit them.
    ...(address.tls && { dnsLookup: (name, callback) => callback(null, name) }),
  };
}

function unwatched(sent: unknown): unknown {
  if (sent instanceof Promise) sent.catch(ignore);
  return sent;
}
