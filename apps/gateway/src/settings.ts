import { AuthSettings, authRule } from '@leque/auth-jwt';
import {
  AdmissionSettings,
  CommandSettings,
  type ConfigRule,
  EventSettings,
  HistorySettings,
  InputSettings,
  JournalSettings,
  OriginSettings,
  originRule,
  parseSlowConsumerRules,
} from '@leque/core';
import { AddressSettings, addressRule, DrainSettings } from '@leque/service';
import { TracingSettings } from '@leque/telemetry-otel';
import { SocketIoSettings } from '@leque/transport-socketio';
import { WebSocketSettings } from '@leque/transport-ws';
import { type Static, Type } from 'typebox';

const MIN_OUTBOX_BYTES = 1_048_576;
/** Room for two of the largest events. Socket.IO sends an event `task.*` twice, which makes four. */
const EVENTS_IN_OUTBOX = 4;

/** Settings of a gateway, whichever broker it uses. */
export const GatewaySettings = Type.Object({
  OUTBOX_MAX_BYTES: Type.Integer({
    default: MIN_OUTBOX_BYTES,
    minimum: MIN_OUTBOX_BYTES,
    description:
      'most bytes queued for one client, at least four times MAX_EVENT_SIZE; above it the client is ' +
      'closed as a slow consumer',
  }),
  FANOUT_WINDOW_MS: Type.Integer({
    default: 5,
    minimum: 0,
    maximum: 1000,
    description:
      'milliseconds in which a busy client is written to at most once, up to four times as many ' +
      'under load; 0 turns pacing off',
  }),
  SLOW_CONSUMER_RULES: Type.String({
    default: '',
    description:
      'rules for channels whose slow clients miss publications and are not closed, separated by `;`. ' +
      'A rule is a channel, or with `*` the beginning of the names of projects or users, and ' +
      '`drop-oldest`, or `conflate` and a list of ' +
      'TYPE/FIELD: of these types only the newest event of each value of the field in `data` is kept. ' +
      'For example `logs drop-oldest; project:* conflate job_progress/job_id,tick/symbol`',
  }),
  UNSUBSCRIBE_GRACE: Type.Number({
    default: 2,
    minimum: 0,
    description: 'seconds for which a channel stays subscribed after its last client has left',
  }),
  ...DrainSettings.properties,
  ...AdmissionSettings.properties,
  ...InputSettings.properties,
  ...CommandSettings.properties,
  FIREHOSE: HistorySettings.properties.FIREHOSE,
  ...EventSettings.properties,
  ...JournalSettings.properties,
  ...TracingSettings.properties,
  ...OriginSettings.properties,
  ...AddressSettings.properties,
  ...AuthSettings.properties,
  ...WebSocketSettings.properties,
  ...SocketIoSettings.properties,
});
export type GatewaySettings = Static<typeof GatewaySettings>;

/** Rules over several of the gateway's variables. */
export const gatewayRules: readonly ConfigRule<GatewaySettings>[] = [
  authRule,
  addressRule,
  originRule,
  timeoutRule,
  outboxRule,
  slowConsumerRule,
];

function timeoutRule(config: GatewaySettings): string[] {
  const { WEBSOCKET_HEARTBEAT_INTERVAL: interval, WEBSOCKET_TIMEOUT: timeout } = config;
  if (!(timeout <= interval)) return [];
  return ['WEBSOCKET_TIMEOUT must be longer than WEBSOCKET_HEARTBEAT_INTERVAL'];
}

function outboxRule({
  OUTBOX_MAX_BYTES: outbox,
  MAX_EVENT_SIZE: event,
}: GatewaySettings): string[] {
  const least = EVENTS_IN_OUTBOX * event;
  if (!(outbox < least)) return [];
  return [`OUTBOX_MAX_BYTES must be at least 4 times MAX_EVENT_SIZE, which is ${least}`];
}

function slowConsumerRule({ SLOW_CONSUMER_RULES: rules }: GatewaySettings): string[] {
  try {
    parseSlowConsumerRules(String(rules));
    return [];
  } catch (error) {
    return [`SLOW_CONSUMER_RULES ${error instanceof Error ? error.message : String(error)}`];
  }
}
