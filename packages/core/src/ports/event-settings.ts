import { MAX_EVENT_BYTES, type SchemaPolicy } from '@leque/protocol';
import { type Static, Type } from 'typebox';

/** Configures which events an installation accepts, whichever way they come. */
export const EventSettings = Type.Object({
  MAX_EVENT_SIZE: Type.Integer({
    default: 65_536,
    minimum: 1,
    maximum: MAX_EVENT_BYTES,
    description:
      'most bytes of one event as it is stored, on every way in; at most 1048576. OUTBOX_MAX_BYTES ' +
      'has to be four times as much, MAX_BATCH_SIZE as much, and a history takes as many times as ' +
      'much of Redis as it has publications (docs/sizing.md)',
  }),
  EVENT_SCHEMAS: Type.Enum(['warn', 'strict', 'off'], {
    default: 'warn',
    description:
      'what becomes of an event of a known type whose `data` does not fit its schema: `warn` stores ' +
      'it, with warnings in the answer, `strict` refuses it, `off` checks nothing but what decides ' +
      'who gets it',
  }),
});
export type EventSettings = Static<typeof EventSettings>;

/** The limits and rules of events, the same in every process of an installation. */
export interface EventOptions {
  /** Largest size of one event, as it is stored and sent to clients. */
  readonly maxBytes: number;
  readonly schemas: SchemaPolicy;
}

export function eventOptions(settings: EventSettings): EventOptions {
  return { maxBytes: settings.MAX_EVENT_SIZE, schemas: settings.EVENT_SCHEMAS };
}
