import { every, systemClock } from '@leque/core';
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import { COMMAND_DEADLINE_MS, withDeadline } from './deadline.ts';
import {
  accessOptions,
  type ClusterAddress,
  type RedisAddress,
  sentinelOptions,
} from './redis-address.ts';
import {
  CONNECT_TIMEOUT_MS,
  PING_MS,
  PINGS_UNTIL_RECONNECT,
  retryStrategy,
} from './redis-connection.ts';
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
  if (address.kind === 'cluster') return new AdapterCluster(address);
  if (address.kind === 'server') return new AdapterConnection(address.url, OPTIONS);
  const connection = new AdapterConnection({
    ...OPTIONS,
    ...sentinelOptions(address),
    Connector: askFirst(() => watch?.informed),
  });
  const cancel = watch?.onSwitched(() => connection.leave());
  connection.once('end', () => cancel?.());
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

class AdapterConnection extends Redis {
  #missedPings = 0;

  constructor(...target: [url: string, options: RedisOptions] | [options: RedisOptions]) {
    super(...(target as [RedisOptions]));
    this.on('error', ignore);
    this.once(
      'end',
      every(systemClock, PING_MS, () => void this.#ping()),
    );
  }

  /** Goes to whichever server the address leads to now; one that is being made goes there after. */
  leave(): void {
    if (this.status === 'ready') this.disconnect(true);
    else if (this.status.startsWith('connect')) this.once('ready', () => this.disconnect(true));
  }

  /** Socket.IO's adapter looks at no outcome, and a failure that nobody looks at ends the process. */
  override sendCommand(...args: Parameters<Redis['sendCommand']>): unknown {
    return unwatched(super.sendCommand(...args));
  }

  /** A connection can be open and dead, also before Redis has greeted: nothing but silence tells. */
  async #ping(): Promise<void> {
    const { status } = this;
    if (status === 'ready' && (await this.#answers())) this.#missedPings = 0;
    else if (status === 'ready' || status === 'connect') this.#missedPings += 1;
    if (this.#missedPings < PINGS_UNTIL_RECONNECT) return;
    this.#missedPings = 0;
    this.disconnect(true);
  }

  async #answers(): Promise<boolean> {
    try {
      await withDeadline(this.ping(), COMMAND_DEADLINE_MS, 'PING');
      return true;
    } catch {
      return false;
    }
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
