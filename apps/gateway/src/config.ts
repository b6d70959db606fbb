import { hostname } from 'node:os';
import { RedisSettings, redisRule } from '@leque/broker-redis';
import { historyRule } from '@leque/core';
import { processSettings, readConfig } from '@leque/service';
import { type Static, Type } from 'typebox';
import { GatewaySettings, gatewayRules } from './settings.ts';

export const GatewayConfig = Type.Object({
  ...processSettings(9001, `${hostname().slice(0, 48)}-${process.pid}`),
  ...RedisSettings.properties,
  ...GatewaySettings.properties,
});
export type GatewayConfig = Static<typeof GatewayConfig>;

/** @throws ConfigError that lists every problem */
export function readGatewayConfig(env: NodeJS.ProcessEnv): GatewayConfig {
  return readConfig(GatewayConfig, env, [...gatewayRules, redisRule, historyRule]);
}
