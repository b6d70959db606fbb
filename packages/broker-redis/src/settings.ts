import { type ConfigRule, HistorySettings } from '@leque/core';
import { type Static, Type } from 'typebox';
import { tryParseRedisUrl } from './connection/redis-address.ts';

export const RedisSettings = Type.Object({
  REDIS_URL: Type.String({
    pattern: '^rediss?(\\+sentinel|\\+cluster)?://',
    description:
      'redis://[user:password@]host[:port][/db], ' +
      'redis+sentinel://[user:password@]host[:port],…/name[/db] for the master that ' +
      'the sentinels know by that name, or redis+cluster://[user:password@]host[:port],… for a Redis Cluster of ' +
      'which these are some servers; rediss for TLS in each',
  }),
  REDIS_SENTINEL_USERNAME: Type.Optional(
    Type.String({
      description: 'user name for the sentinels; the one in REDIS_URL is for the servers',
    }),
  ),
  REDIS_SENTINEL_PASSWORD: Type.Optional(
    Type.String({ description: 'password for the sentinels, if they need one' }),
  ),
  REDIS_KEY_PREFIX: Type.String({
    default: 'leque:',
    pattern: '^[A-Za-z0-9._:/-]{0,64}$',
    description: 'prefix of every key and channel: up to 64 letters, digits and . _ : / -',
  }),
  ...HistorySettings.properties,
});
export type RedisSettings = Static<typeof RedisSettings>;

/** Reports an address that cannot be used, as far as that shows without connecting. */
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
