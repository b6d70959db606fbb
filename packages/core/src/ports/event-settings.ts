import type { SchemaPolicy } from '@leque/protocol';
import { type Static, Type } from 'typebox';

/** Configures which events an installation accepts, whichever way they come. */
export const EventSettings = Type.Object({
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
  readonly schemas: SchemaPolicy;
}

export function eventOptions({ EVENT_SCHEMAS: schemas }: EventSettings): EventOptions {
  return { schemas };
}
