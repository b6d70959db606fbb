import { Redis, type RedisOptions } from 'ioredis';
import type { Access, HostPort, SentinelAddress, ServerAddress } from './redis-address.ts';
import { askFirst, type FailoverSource } from './sentinel-connector.ts';

const SENTINEL_TIMEOUT_MS = 1000;

/** Makes clients of one server, or of the master that the sentinels name at the time. */
export type Endpoint = (options: RedisOptions) => Redis;

export function serverEndpoint(address: ServerAddress): Endpoint {
  return endpointOf(address, address);
}

/** Follows the master which the sentinels name. */
export function sentinelEndpoint(address: SentinelAddress, failovers: FailoverSource): Endpoint {
  return (options) =>
    new Redis({
      ...options,
      ...sentinelOptions(address),
      Connector: askFirst(failovers),
      // The server is no master any more; the sentinels know the new one.
      reconnectOnError: (error) => error.message.startsWith('READONLY'),
    });
}

/** One server of a Redis Cluster; all have the same access. */
export function endpointOf({ host, port }: HostPort, access: Access): Endpoint {
  return (options) => new Redis({ ...options, ...accessOptions(access), host, port });
}

/** Options of a client that follows the master which the sentinels name. */
export function sentinelOptions(address: SentinelAddress): RedisOptions {
  const { hosts, name, tls } = address;
  const { username, password, tls: sentinelTLS } = address.sentinels;
  return {
    ...accessOptions(address),
    sentinels: [...hosts],
    name,
    ...(username !== undefined && { sentinelUsername: username }),
    ...(password !== undefined && { sentinelPassword: password }),
    ...(tls && { enableTLSForSentinelMode: true }),
    ...(sentinelTLS && { sentinelTLS }),
    sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
  };
}

/** Options of a client of one sentinel itself. */
export function sentinelClientOptions(host: HostPort, address: SentinelAddress): RedisOptions {
  const { username, password, tls } = address.sentinels;
  return {
    ...host,
    ...accessOptions({ username, password, tls }),
    lazyConnect: true,
    enableReadyCheck: false, // there is nothing to load
    disableClientInfo: true,
  };
}

export function accessOptions({ username, password, tls }: Access): RedisOptions {
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls }),
  };
}
