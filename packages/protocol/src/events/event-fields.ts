import { type Static, type TOptional, type TSchema, Type } from 'typebox';
import { Id } from '../wire/id.ts';

const EventType = Type.String({
  pattern: '^[A-Za-z0-9._:-]{1,64}$',
  description: '1 to 64 letters, digits and . _ - :',
});
const MessageId = Type.String({ minLength: 1, maxLength: 128 });
const IdempotencyKey = Type.String({ minLength: 1, maxLength: 256 });
const Channel = Type.String({
  description:
    'all, logs, project:ID or user:ID, with the id percent-encoded; overrides the routing',
});
/** The form of a timestamp, in words that follow "must be". */
export const TIMESTAMP_FORM =
  'a date and time with a zone as in RFC 3339, such as 2026-01-02T03:04:05Z';
const Timestamp = Type.String({ format: 'date-time', description: TIMESTAMP_FORM });
const Live = Type.Boolean({
  description:
    'true for an event that is not stored: it goes to the clients that are there, without a cursor',
});
const Traceparent = Type.String({
  pattern: '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$',
  description: 'a W3C trace context: 00-TRACE-SPAN-FLAGS, in hexadecimal digits',
});

export interface EventField {
  readonly schema: TSchema;
  /** Whether the field is stored and sent to clients; the others only steer the publishing. */
  readonly stored: boolean;
  /** Whether the field is an id, which the channel or `data` may give in its place. */
  readonly isId?: true;
}

/**
 * The fields of an event. A new field is one more row: validation, OpenAPI, the Redis Function and
 * both transports read this table. Stored fields travel in this order; `withTraceparent` relies on
 * `traceparent` being the last of them. Every field but `data` may be left out.
 */
export const EVENT_FIELDS = {
  type: { schema: EventType, stored: true },
  event_type: { schema: EventType, stored: false },
  data: { schema: Type.Object({}), stored: true },
  timestamp: { schema: Timestamp, stored: true },
  message_id: { schema: MessageId, stored: true },
  project_id: { schema: Id, stored: true, isId: true },
  story_id: { schema: Id, stored: true, isId: true },
  user_id: { schema: Id, stored: true, isId: true },
  channel: { schema: Channel, stored: false },
  idempotency_key: { schema: IdempotencyKey, stored: false },
  live: { schema: Live, stored: true },
  traceparent: { schema: Traceparent, stored: true },
} as const satisfies Record<string, EventField>;

type Fields = typeof EVENT_FIELDS;
export type FieldName = keyof Fields;
export type OptionalField = Exclude<FieldName, 'data'>;
export type IdField = {
  [N in FieldName]: Fields[N] extends { isId: true } ? N : never;
}[FieldName];

const rows = Object.entries(EVENT_FIELDS) as [FieldName, EventField][];

/** The fields that clients get, in the order in which they travel. */
export const STORED_FIELDS: readonly FieldName[] = namesOf(({ stored }) => stored);
export const ID_FIELDS = namesOf(({ isId }) => isId === true) as readonly IdField[];
/** Null in one of these fields means that it was left out. */
export const OPTIONAL_FIELDS = rows
  .map(([name]) => name)
  .filter((name): name is OptionalField => name !== 'data');

/** The event that a publisher sends. The earlier system's `event_type` works in place of `type`. */
export const EventInput = Type.Object(
  Object.fromEntries(
    rows.map(([name, { schema }]) => [name, name === 'data' ? schema : Type.Optional(schema)]),
  ) as { data: Fields['data']['schema'] } & {
    [N in OptionalField]: TOptional<Fields[N]['schema']>;
  },
  { additionalProperties: false },
);
export type EventInput = Static<typeof EventInput>;

/** An event whose ids are texts. */
export type GivenEvent = Omit<EventInput, IdField> & Partial<Record<IdField, string>>;

/** A copy of a valid event in which the ids that are numbers are texts. */
export function withTextIds(event: EventInput): GivenEvent {
  let texts: Partial<Record<IdField, string>> | undefined;
  for (const name of ID_FIELDS) {
    const value = event[name];
    if (typeof value === 'number') texts = { ...texts, [name]: String(value) };
  }
  return (texts === undefined ? event : { ...event, ...texts }) as GivenEvent;
}

function namesOf(isWanted: (field: EventField) => boolean): FieldName[] {
  return rows.filter(([, field]) => isWanted(field)).map(([name]) => name);
}
