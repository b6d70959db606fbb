import { hostname } from 'node:os';
import { AuthSettings, authRule } from '@leque/auth-jwt';
import { RedisSettings, redisRule } from '@leque/broker-redis';
import { historyRule, originRule } from '@leque/core';
import { addressRule, DrainSettings, processSettings, readConfig } from '@leque/service';
import { type Static, Type } from 'typebox';
import { PublisherSettings, publisherRules } from './settings.ts';

export const PublisherConfig = Type.Object({
  ...processSettings(9100, `${hostname().slice(0, 48)}-${process.pid}`),
  ...RedisSettings.properties,
  ...AuthSettings.properties,
  DRAIN_GRACE: DrainSettings.properties.DRAIN_GRACE,
  ...PublisherSettings.properties,
});
export type PublisherConfig = Static<typeof PublisherConfig>;

/** @throws ConfigError that lists every problem */
export function readPublisherConfig(env: NodeJS.ProcessEnv): PublisherConfig {
  return readConfig(PublisherConfig, env, [
    authRule,
    ...publisherRules,
    addressRule,
    originRule,
    redisRule,
    historyRule,
  ]);
}
