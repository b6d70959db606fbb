import { type AuthSettings, apiKeyProblems } from '@leque/auth-jwt';
import {
  type ConfigRule,
  EventSettings,
  HistorySettings,
  JournalSettings,
  journalOptions,
  OriginSettings,
  originPolicyOf,
} from '@leque/core';
import { AddressSettings, listOf } from '@leque/service';
import { TracingSettings } from '@leque/telemetry-otel';
import { type Static, Type } from 'typebox';
import type { PublisherPolicy } from './app.ts';

/** Answers arrive within a second, also when Redis does not answer; the rest is for the network. */
const ANSWER_WITHIN_MS = 900;

/** Settings of a publisher, whichever broker it uses. */
export const PublisherSettings = Type.Object({
  ...OriginSettings.properties,
  ...AddressSettings.properties,
  PUBLISH_API_KEYS: Type.Optional(
    Type.String({
      description:
        'comma-separated API keys that may publish to every channel, make grants and read statistics, ' +
        'but read no events; at least 20 characters each, except with AUTH_MODE=open outside of production',
    }),
  ),
  MAX_BATCH_SIZE: Type.Integer({
    default: 8_388_608,
    minimum: 1,
    description: 'most bytes in the body of one request, at least MAX_EVENT_SIZE',
  }),
  API_RATE_PER_KEY: Type.Integer({
    default: 0,
    minimum: 0,
    description: 'most requests and events per second of each API key; 0 means no limit',
  }),
  API_RATE_PER_USER: Type.Integer({
    default: 5_000,
    minimum: 0,
    description:
      'most requests and events per second of each user; ten times as many at once; 0 means no limit',
  }),
  API_RATE_PER_ADDRESS: Type.Integer({
    default: 5_000,
    minimum: 0,
    description:
      'most requests and events per second of each address without a token, where none is ' +
      'required; 0 means no limit',
  }),
  API_WRONG_CREDENTIALS: Type.Integer({
    default: 600,
    minimum: 0,
    description:
      'wrong API keys and tokens that an address may try per minute; 0 means no limit. Callers ' +
      'whose credentials were accepted lately are served all the same',
  }),
  API_HISTORY_READS: Type.Integer({
    default: 4,
    minimum: 1,
    description: 'reads of histories that a publisher runs at once; others wait for their turn',
  }),
  TRUST_TRACEPARENT: Type.Enum(['keys', 'all', 'none'], {
    default: 'keys',
    description:
      'whose `traceparent` a publish continues and passes on to clients: those of callers with an ' +
      'API key, of all callers, or of none. The others cannot decide which publishes are traced',
  }),
  DOCS: Type.Enum(['on', 'off'], {
    default: 'on',
    description: 'whether the publisher serves `/docs` and `/openapi.json`',
  }),
  UNADDRESSED_EVENTS: Type.Optional(
    Type.Enum(['all', 'refuse'], {
      description:
        'what `POST /api/publish` does with an event that names no channel, user or project: `all` ' +
        'sends it to everybody with a warning, `refuse` refuses it; by default `all` with ' +
        'AUTH_MODE=open, else `refuse`',
    }),
  ),
  FIREHOSE: HistorySettings.properties.FIREHOSE,
  ...EventSettings.properties,
  ...JournalSettings.properties,
  ...TracingSettings.properties,
});
type KeySettings = Pick<AuthSettings, 'AUTH_MODE' | 'NODE_ENV'> & PublisherSettings;

/** Rules over several of the publisher's variables. */
export const publisherRules: readonly ConfigRule<KeySettings>[] = [
  (config) => apiKeyProblems(config, listOf(config.PUBLISH_API_KEYS)),
  ({ MAX_BATCH_SIZE: body, MAX_EVENT_SIZE: event }) =>
    body < event ? [`MAX_BATCH_SIZE must be at least MAX_EVENT_SIZE, which is ${event}`] : [],
];

export type PublisherSettings = Static<typeof PublisherSettings>;

export function publisherPolicy(
  settings: PublisherSettings & Pick<AuthSettings, 'AUTH_MODE'> & { readonly BASE_PATH?: string },
): PublisherPolicy {
  return {
    authMode: settings.AUTH_MODE,
    apiKeys: listOf(settings.PUBLISH_API_KEYS),
    origins: originPolicyOf(settings),
    docs: settings.DOCS === 'on',
    basePath: settings.BASE_PATH,
    firehose: settings.FIREHOSE === 'on',
    unaddressed: settings.UNADDRESSED_EVENTS ?? (settings.AUTH_MODE === 'open' ? 'all' : 'refuse'),
    schemas: settings.EVENT_SCHEMAS,
    journal: journalOptions(settings),
    rates: {
      key: settings.API_RATE_PER_KEY,
      user: settings.API_RATE_PER_USER,
      address: settings.API_RATE_PER_ADDRESS,
    },
    wrongCredentialsPerMinute: settings.API_WRONG_CREDENTIALS,
    historyReads: settings.API_HISTORY_READS,
    limits: {
      maxEventBytes: settings.MAX_EVENT_SIZE,
      maxBatchBytes: settings.MAX_BATCH_SIZE,
      answerWithinMs: ANSWER_WITHIN_MS,
      trustTraceparent: settings.TRUST_TRACEPARENT,
    },
  };
}
