import { type ConfigRule, HistorySettings } from '@leque/core';
import { type Static, Type } from 'typebox';
import { tryParseRedisUrl } from './connection/redis-address.ts';

export const RedisSettings = Type.Object({
  REDIS_URL: Type.String({
    pattern: '^rediss?(\\+sentinel|\\+cluster)?://',
    description:
      'redis://[user:password@]host[:port][/db], ' +
      'redis+sentinel://[user:password@]host[:port],…/name[/db] for the master that the sentinels ' +
      'of that name know, or redis+cluster://[user:password@]host[:port],… for a Redis Cluster of ' +
      'which these are some servers; rediss for TLS in each',
  }),
  REDIS_SENTINEL_USERNAME: Type.Optional(
    Type.String({ description: 'a user of the sentinels; the one in REDIS_URL is for Redis' }),
  ),
  REDIS_SENTINEL_PASSWORD: Type.Optional(
    Type.String({ description: 'the password of the sentinels, where they ask for one' }),
  ),
  REDIS_KEY_PREFIX: Type.String({
    default: 'leque:',
    pattern: '^[A-Za-z0-9._:/-]{0,64}$',
    description: 'up to 64 letters, digits and . _ : / - that begin every key and channel',
  }),
  ...HistorySettings.properties,
});
export type RedisSettings = Static<typeof RedisSettings>;

/** Whether the address can be used, as far as one can tell without trying. */
export const redisRule: ConfigRule<{ readonly REDIS_URL?: string }> = ({ REDIS_URL: url }) => {
  if (typeof url !== 'string' || !/^rediss?(\+(sentinel|cluster))?:/.test(url)) return [];
  if (tryParseRedisUrl(url) !== undefined) return [];
  return [
    `REDIS_URL cannot be read as ${shapeOf(url)}; what is special in its password must be URL-encoded`,
  ];
};

function shapeOf(url: string): string {
  if (url.includes('+sentinel:')) return 'redis+sentinel://host:port,…/name';
  return url.includes('+cluster:') ? 'redis+cluster://host:port,…' : 'redis://host:port';
}
