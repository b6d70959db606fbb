import { type ConfigRule, HistorySettings } from '@leque/core';
import { type Static, Type } from 'typebox';
import { DEFAULT_PREFIX } from './connection/adapter-connection.ts';
import { parseRedisUrl } from './connection/redis-address.ts';
import { problemsOfTls, type TlsVariables } from './connection/tls-options.ts';

export const RedisSettings = Type.Object({
  REDIS_URL: Type.String({
    pattern: '^rediss?(\\+sentinel|\\+cluster)?://',
    description:
      'redis://[user:password@]host[:port][/db] for one Redis server, ' +
      'redis+sentinel://[user:password@]host[:port],…/name[/db] for a master that Sentinel watches ' +
      'under this name, or redis+cluster://[user:password@]host[:port],… for a Redis Cluster with ' +
      'these servers among others; with rediss in place of redis for TLS',
  }),
  REDIS_SENTINEL_USERNAME: Type.Optional(
    Type.String({ description: 'user for the sentinels; the user in REDIS_URL is for Redis' }),
  ),
  REDIS_SENTINEL_PASSWORD: Type.Optional(
    Type.String({ description: 'password for the sentinels, if they require one' }),
  ),
  REDIS_KEY_PREFIX: Type.String({
    default: DEFAULT_PREFIX,
    pattern: '^[A-Za-z0-9._:/-]{1,64}$',
    description:
      'up to 64 letters, digits and . _ : / - that begin every key and channel in Redis, which ' +
      'keeps apart the installations on one Redis',
  }),
  CONTROL_SECRET: Type.Optional(
    Type.String({
      minLength: 32,
      description:
        'at least 32 characters, the same for all processes, with which they sign requests to each ' +
        'other, such as that for another log level; JWT_SECRET without it',
    }),
  ),
  ...HistorySettings.properties,
});
export type RedisSettings = Static<typeof RedisSettings>;

/** Checks the form of the address; whether a server answers there shows only later. */
export const redisRule: ConfigRule<{ readonly REDIS_URL?: string }> = ({ REDIS_URL: url }) => {
  if (typeof url !== 'string' || !/^rediss?(\+(sentinel|cluster))?:/.test(url)) return [];
  if (tryParseRedisUrl(url) !== undefined) return [];
  return [
    `REDIS_URL cannot be read as ${shapeOf(url)}; special characters in its password must be URL-encoded`,
  ];
};

function shapeOf(url: string): string {
  if (url.includes('+sentinel:')) return 'redis+sentinel://host:port,…/name';
  return url.includes('+cluster:') ? 'redis+cluster://host:port,…' : 'redis://host:port';
}
