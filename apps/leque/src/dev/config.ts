import { RedisSettings, redisRule } from '@leque/broker-redis';
import { historyRule } from '@leque/core';
import { GatewaySettings, gatewayRules } from '@leque/gateway';
import { PublisherSettings, publisherRules } from '@leque/publisher';
import { processSettings, readConfig, UNBRACKETED } from '@leque/service';
import { type Static, type TSchema, Type } from 'typebox';
import { devSecret, randomSecret, SecretNotKept } from '../api/dev-secret.ts';

type Env = Readonly<Record<string, string | undefined>>;

const { LOG_LEVEL, ...common } = processSettings(9001, `dev-${process.pid}`);
const { AUTH_MODE, DRAIN_GRACE, DRAIN_TIMEOUT } = GatewaySettings.properties;

/** Defaults that differ on a developer's machine. */
const developerSettings = {
  AUTH_MODE: withDefault(AUTH_MODE, 'open'),
  DRAIN_GRACE: withDefault(DRAIN_GRACE, 0),
  DRAIN_TIMEOUT: withDefault(DRAIN_TIMEOUT, 1),
  LOG_LEVEL: withDefault(LOG_LEVEL, 'warn'),
};

export const DevConfig = Type.Object({
  ...common,
  ...RedisSettings.properties,
  ...PublisherSettings.properties,
  ...GatewaySettings.properties,
  ...developerSettings,
  REDIS_URL: Type.Optional(RedisSettings.properties.REDIS_URL),
  SOCKETIO_PORT: Type.Integer({
    default: 3000,
    minimum: 0,
    maximum: 65_535,
    description: 'second port, for clients of the earlier Socket.IO system; 0 for none',
  }),
  HOST: Type.Optional(
    Type.String({
      pattern: UNBRACKETED,
      description:
        'the address to listen on, without brackets; without it, loopback only. `::` listens on IPv6 and IPv4',
    }),
  ),
});
export type DevConfig = Static<typeof DevConfig>;

/** Settings of `leque cluster`; other variables are passed on to its processes. */
export const ClusterConfig = Type.Object({
  ...developerSettings,
  REDIS_URL: Type.Optional(RedisSettings.properties.REDIS_URL),
  PORT: Type.Integer({
    default: 9001,
    minimum: 0,
    maximum: 65_535,
    description:
      'one address for the whole cluster: requests of the API go to the publisher, clients to the ' +
      'gateways in turn; 0 chooses a free port',
  }),
  BASE_PORT: Type.Integer({
    default: 9100,
    minimum: 1,
    maximum: 65_000,
    description: 'port of the publisher; the gateways use the ports after it',
  }),
  OPERATIONS_PORT: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 65_000,
      description:
        'second port of the publisher, for operators; the gateways use the ports after it',
    }),
  ),
});
export type ClusterConfig = Static<typeof ClusterConfig>;

/** @throws ConfigError that lists every problem */
export function readDevConfig(env: Env): DevConfig {
  return readConfig(DevConfig, withSecret(env), [
    ...gatewayRules,
    ...publisherRules,
    redisRule,
    historyRule,
  ]);
}

/** @throws ConfigError that lists every problem */
export function readClusterConfig(env: Env): ClusterConfig {
  return readConfig(ClusterConfig, env, [redisRule]);
}

const KEY_VARIABLES = ['JWT_SECRET', 'JWT_PUBLIC_KEY', 'JWKS_URL'].flatMap((name) => [
  name,
  `${name}_FILE`,
]);

/** Adds the development secret unless a key is set or NODE_ENV is production. */
export function withSecret(env: Env): Env {
  const hasKey = KEY_VARIABLES.some((name) => env[name]);
  if (hasKey || env['NODE_ENV'] === 'production') return env;
  return { ...env, JWT_SECRET: secretOfThisRun() };
}

/** Where the secret cannot be kept, tokens are good until this process ends. */
function secretOfThisRun(): string {
  try {
    return devSecret();
  } catch (error) {
    if (!(error instanceof SecretNotKept)) throw error;
    process.stderr.write(`${error.message}; tokens are valid until this process ends\n`);
    return randomSecret();
  }
}

/** Copies a schema, with its hidden members, and changes the default. */
function withDefault<S extends TSchema>(schema: S, value: unknown): S {
  const members = Object.getOwnPropertyDescriptors(schema);
  const changed = { ...members, default: { value, enumerable: true } };
  return Object.create(Object.prototype, changed) as S;
}
