import { type ConfigRule, HistorySettings } from '@leque/core';
import { type Static, Type } from 'typebox';

export const RedisSettings = Type.Object({
  REDIS_URL: Type.String({
    pattern: '^redis(s|\\+sentinel|\\+cluster)?://',
    description: 'redis://[user:password@]host[:port][/db], or rediss://… for TLS',
  }),
  REDIS_KEY_PREFIX: Type.String({
    default: 'leque:',
    pattern: '^[A-Za-z0-9._:/-]{0,64}$',
    description: 'up to 64 letters, digits and . _ : / - that begin every key and channel',
  }),
  ...HistorySettings.properties,
});
export type RedisSettings = Static<typeof RedisSettings>;

/** Whether the address can be used, as far as one can tell without trying. */
export const redisRule: ConfigRule<RedisSettings> = ({ REDIS_URL: url }) => {
  if (typeof url !== 'string') return [];
  const kind = /^redis\+(sentinel|cluster):/.exec(url)?.[1];
  if (kind !== undefined) return [`REDIS_URL redis+${kind}:// is not supported yet`];
  if (!/^rediss?:/.test(url)) return [];
  const parsed = URL.parse(url);
  if (parsed?.hostname && /^\/?\d*$/.test(parsed.pathname)) return [];
  return ['REDIS_URL cannot be read; what is special in its password must be URL-encoded'];
};
