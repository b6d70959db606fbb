import { hostname } from 'node:os';
import { AuthSettings, authRule } from '@leque/auth-jwt';
import { RedisSettings, redisRule } from '@leque/broker-redis';
import {
  AdmissionSettings,
  type ConfigRule,
  HistorySettings,
  JournalSettings,
  OriginSettings,
  parseSlowConsumerRules,
} from '@leque/core';
import { MAX_EVENT_BYTES } from '@leque/protocol';
import { DrainSettings, processSettings, readConfig } from '@leque/service';
import { TracingSettings } from '@leque/telemetry-otel';
import { SocketIoSettings } from '@leque/transport-socketio';
import { WebSocketSettings } from '@leque/transport-ws';
import { type Static, Type } from 'typebox';

/**
 * Room for the largest event, which Socket.IO says twice where it is a `task.*`, and as much again
 * beside it.
 */
const MIN_OUTBOX_BYTES = 4 * MAX_EVENT_BYTES;

/** What a gateway needs to know, whichever broker it has. */
export const GatewaySettings = Type.Object({
  OUTBOX_MAX_BYTES: Type.Integer({
    default: MIN_OUTBOX_BYTES,
    minimum: MIN_OUTBOX_BYTES,
    description: 'bytes queued for one client before it is closed as a slow consumer',
  }),
  FANOUT_WINDOW_MS: Type.Integer({
    default: 5,
    minimum: 0,
    maximum: 1000,
    description:
      'milliseconds in which a busy client is written to at most once, up to four times as long ' +
      'under load; 0 for no pacing',
  }),
  SLOW_CONSUMER_RULES: Type.String({
    default: '',
    description:
      'channels whose slow clients miss publications instead of being closed, for example ' +
      '`logs drop-oldest; project:* conflate job_progress/job_id`',
  }),
  UNSUBSCRIBE_GRACE: Type.Number({
    default: 2,
    minimum: 0,
    description: 'seconds that a channel stays subscribed after its last client left',
  }),
  ...DrainSettings.properties,
  ...AdmissionSettings.properties,
  FIREHOSE: HistorySettings.properties.FIREHOSE,
  ...JournalSettings.properties,
  ...TracingSettings.properties,
  ...OriginSettings.properties,
  ...AuthSettings.properties,
  ...WebSocketSettings.properties,
  ...SocketIoSettings.properties,
});
export type GatewaySettings = Static<typeof GatewaySettings>;

export const GatewayConfig = Type.Object({
  ...processSettings(9001, `${hostname().slice(0, 48)}-${process.pid}`),
  ...RedisSettings.properties,
  ...GatewaySettings.properties,
});
export type GatewayConfig = Static<typeof GatewayConfig>;

/** Rules over several of the gateway's variables. */
export const gatewayRules: readonly ConfigRule<GatewaySettings>[] = [
  authRule,
  timeoutRule,
  slowConsumerRule,
];

/** @throws ConfigError that lists every problem */
export function readGatewayConfig(env: NodeJS.ProcessEnv): GatewayConfig {
  return readConfig(GatewayConfig, env, [...gatewayRules, redisRule]);
}

function timeoutRule(config: GatewaySettings): string[] {
  const { WEBSOCKET_HEARTBEAT_INTERVAL: interval, WEBSOCKET_TIMEOUT: timeout } = config;
  if (!(timeout <= interval)) return [];
  return ['WEBSOCKET_TIMEOUT must be longer than WEBSOCKET_HEARTBEAT_INTERVAL'];
}

function slowConsumerRule({ SLOW_CONSUMER_RULES: rules }: GatewaySettings): string[] {
  try {
    parseSlowConsumerRules(String(rules));
    return [];
  } catch (error) {
    return [`SLOW_CONSUMER_RULES ${error instanceof Error ? error.message : String(error)}`];
  }
}
