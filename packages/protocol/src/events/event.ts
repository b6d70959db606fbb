import { type Static, Type } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { ALL, Id, LOGS, projectChannel, tryParseChannel, userChannel } from '../wire/channel.ts';
import { isDeeperThan, MAX_DEPTH } from '../wire/depth.ts';
import { findProblems, type Problem } from '../wire/problems.ts';
import { withIds, withoutNulls } from './event-completion.ts';
import { EVENT_DATA, RESERVED_TYPES } from './event-types.ts';

const EventType = Type.String({
  pattern: '^[A-Za-z0-9._:-]{1,64}$',
  description: '1 to 64 letters, digits and . _ - :',
});

/** What a publisher sends. The earlier system's `event_type` works in place of `type`. */
export const EventInput = Type.Object(
  {
    type: Type.Optional(EventType),
    event_type: Type.Optional(EventType),
    data: Type.Object({}),
    project_id: Type.Optional(Id),
    user_id: Type.Optional(Id),
    story_id: Type.Optional(Id),
    channel: Type.Optional(
      Type.String({ description: 'all, logs, project:ID or user:ID; overrides the routing' }),
    ),
    message_id: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    timestamp: Type.Optional(
      Type.String({ format: 'date-time', description: 'a date and time as in RFC 3339' }),
    ),
    idempotency_key: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    traceparent: Type.Optional(
      Type.String({
        pattern: '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$',
        description: 'a W3C trace context: 00-TRACE-SPAN-FLAGS, in hexadecimal digits',
      }),
    ),
  },
  { additionalProperties: false },
);
export type EventInput = Static<typeof EventInput>;

/** An event that was checked and is ready to be stored: its JSON goes to clients as it is. */
export interface Event {
  readonly type: string;
  readonly channel: string;
  readonly messageId: string;
  /** `{"type","data","timestamp","message_id",…}`, an object on one line. */
  readonly json: string;
  readonly idempotencyKey?: string;
  /** In `json`, too, as its last member. */
  readonly traceparent?: string;
}

/** The event, carrying another trace context than before. */
export function withTraceparent(event: Event, traceparent: string): Event {
  const member = (value: string) => `,"traceparent":"${value}"}`;
  const end = event.traceparent === undefined ? '}' : member(event.traceparent);
  const json = event.json.slice(0, -end.length) + member(traceparent);
  return { ...event, json, traceparent };
}

export type ParsedEvent =
  | { readonly ok: true; readonly event: Event }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** No part of the system takes more, in bytes of JSON; each may be set to take less. */
export const MAX_EVENT_BYTES = 262_144;

/** One for all events that are right, as nearly all are. */
const NONE: readonly Problem[] = [];

const inputValidator = Compile(EventInput);
const dataValidators = new Map<string, Validator>(
  Object.entries(EVENT_DATA).map(([type, schema]) => [type, Compile(schema)]),
);

/** Checks an event from outside, routes it, and gives it its id and time where it has none. */
export function tryParseEvent(sent: unknown): ParsedEvent {
  const input = withoutNulls(sent);
  const problems = findProblems(EventInput, inputValidator, input);
  if (problems.length > 0) return { ok: false, problems };
  const given = input as EventInput;
  const type = given.type ?? given.event_type;
  if (type === undefined) return refuse('type', 'is required');
  const event = withIds(given, type);
  const found = [
    typeProblems(event, type),
    dataProblems(type, event.data),
    channelProblems(event.channel),
    textProblems(event),
  ];
  if (found.some((each) => each.length > 0)) return { ok: false, problems: found.flat() };
  return { ok: true, event: normalise(event, type, route(event, type)) };
}

/** `channel` if given; else the user's; else the project's; else `logs` for log messages; else `all`. */
function route(event: EventInput, type: string): string {
  if (event.channel !== undefined) return event.channel;
  if (event.user_id !== undefined) return userChannel(event.user_id);
  if (event.project_id !== undefined) return projectChannel(event.project_id);
  return type === 'log_message' ? LOGS : ALL;
}

function typeProblems(event: EventInput, type: string): readonly Problem[] {
  if (event.event_type !== undefined && event.event_type !== type) {
    return [{ field: 'event_type', message: 'differs from type; give one of them' }];
  }
  if (!RESERVED_TYPES.has(type)) return NONE;
  return [{ field: 'type', message: `"${type}" is reserved for the server` }];
}

function dataProblems(type: string, data: object): readonly Problem[] {
  if (isDeeperThan(data, MAX_DEPTH)) {
    return [{ field: 'data', message: `must not be nested more than ${MAX_DEPTH} levels deep` }];
  }
  const validator = dataValidators.get(type);
  if (validator === undefined) return NONE;
  const schema = EVENT_DATA[type as keyof typeof EVENT_DATA];
  return findProblems(schema, validator, data).map(({ field, message }) => ({
    field: field ? `data.${field}` : 'data',
    message,
  }));
}

/** Half a character cannot be written as UTF-8: two that differ would become the same. */
function textProblems({ message_id, idempotency_key }: EventInput): readonly Problem[] {
  if (message_id === undefined && idempotency_key === undefined) return NONE;
  const problems = Object.entries({ message_id, idempotency_key })
    .filter(([, text]) => text?.isWellFormed() === false)
    .map(([field]) => ({ field, message: 'must be well-formed text' }));
  return problems.length === 0 ? NONE : problems;
}

/** The channels that ids lead to are right, as the ids are. */
function channelProblems(channel: string | undefined): readonly Problem[] {
  if (channel === undefined) return NONE;
  const kind = tryParseChannel(channel)?.kind;
  if (kind !== undefined && kind !== 'firehose') return NONE;
  return [{ field: 'channel', message: 'must be all, logs, project:ID or user:ID' }];
}

function normalise(event: EventInput, type: string, channel: string): Event {
  const messageId = event.message_id ?? crypto.randomUUID();
  const json = JSON.stringify({
    type,
    data: event.data,
    timestamp: event.timestamp ?? timestamp(),
    message_id: messageId,
    project_id: event.project_id,
    story_id: event.story_id,
    user_id: event.user_id,
    traceparent: event.traceparent,
  });
  const key = event.idempotency_key;
  return {
    type,
    channel,
    messageId,
    json,
    ...(key !== undefined && { idempotencyKey: key }),
    ...(event.traceparent !== undefined && { traceparent: event.traceparent }),
  };
}

let now = { at: 0, text: '' };

/** Written once a millisecond, however many events that has. */
function timestamp(): string {
  const at = Date.now();
  if (at !== now.at) now = { at, text: new Date(at).toISOString() };
  return now.text;
}

function refuse(field: string, message: string): ParsedEvent {
  return { ok: false, problems: [{ field, message }] };
}
