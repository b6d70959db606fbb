import { type ConfigRule, EventSettings, HistorySettings } from '@leque/core';
import { type Static, Type } from 'typebox';
import { DEFAULT_PREFIX } from './connection/adapter-connection.ts';
import { parseRedisUrl } from './connection/redis-address.ts';
import { problemsOfTls, type TlsVariables } from './connection/tls-options.ts';

export const RedisSettings = Type.Object({
  REDIS_URL: Type.String({
    description:
      'redis://[user:password@]host[:port] for one Redis server, ' +
      'redis+sentinel://[user:password@]host[:port],…/name for a master that Sentinel watches ' +
      'under this name, or redis+cluster://[user:password@]host[:port],… for a Redis Cluster with ' +
      'these servers among others; with rediss in place of redis for TLS',
  }),
  REDIS_SENTINEL_USERNAME: Type.Optional(
    Type.String({ description: 'user for the sentinels; the user in REDIS_URL is for Redis' }),
  ),
  REDIS_SENTINEL_PASSWORD: Type.Optional(
    Type.String({ description: 'password for the sentinels, if they require one' }),
  ),
  REDIS_SENTINEL_TLS: Type.Optional(
    Type.Enum(['on', 'off'], {
      description: 'whether the sentinels use TLS; as the servers do without it',
    }),
  ),
  REDIS_TLS_CA_FILE: Type.Optional(
    Type.String({
      description:
        'PEM file with the certificates of the authorities that Redis is trusted by, where it is ' +
        'none that Node knows; for rediss',
    }),
  ),
  REDIS_TLS_CERT_FILE: Type.Optional(
    Type.String({ description: 'PEM file with the certificate that Redis asks clients for' }),
  ),
  REDIS_TLS_KEY_FILE: Type.Optional(
    Type.String({ description: 'PEM file with the private key of that certificate' }),
  ),
  REDIS_TLS_SERVERNAME: Type.Optional(
    Type.String({
      description:
        "name in the certificates of the servers, where it is not the host's in REDIS_URL",
    }),
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
  ...EventSettings.properties,
});
export type RedisSettings = Static<typeof RedisSettings>;

interface RedisVariables extends TlsVariables {
  readonly REDIS_URL?: string;
  readonly REDIS_SENTINEL_TLS?: 'on' | 'off';
}

/** @param servers whether the servers use TLS */
export function usesSentinelTls(
  { REDIS_SENTINEL_TLS: wanted }: Pick<RedisVariables, 'REDIS_SENTINEL_TLS'>,
  servers: boolean,
): boolean {
  return wanted === undefined ? servers : wanted === 'on';
}

const TLS_VARIABLES = [
  'REDIS_TLS_CA_FILE',
  'REDIS_TLS_CERT_FILE',
  'REDIS_TLS_KEY_FILE',
  'REDIS_TLS_SERVERNAME',
] as const satisfies (keyof TlsVariables)[];

/** Checks the address and the files for TLS; whether a server answers there shows only later. */
export const redisRule: ConfigRule<RedisVariables> = (variables) => {
  const { REDIS_URL: url } = variables;
  if (typeof url !== 'string') return [];
  try {
    const { kind, tls } = parseRedisUrl(url);
    const isUsed = tls !== undefined || (kind === 'sentinel' && usesSentinelTls(variables, false));
    return isUsed ? problemsOfTls(variables) : problemsWithoutTls(variables);
  } catch (error) {
    return [(error as Error).message];
  }
};

function problemsWithoutTls(variables: RedisVariables): string[] {
  const [name] = TLS_VARIABLES.filter((each) => variables[each] !== undefined);
  return name === undefined ? [] : [`${name} is set, but REDIS_URL does not begin with rediss`];
}
