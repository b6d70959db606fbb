import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { ALL, type ParsedChannel, suggestChannel, tryParseChannel } from '../wire/channel.ts';
import { isDeeperThan, MAX_DEPTH } from '../wire/depth.ts';
import { findProblems, type Problem } from '../wire/problems.ts';
import { isTimestamp } from '../wire/timestamp.ts';
import {
  addressProblems,
  routeOf,
  type UnaddressedPolicy,
  unaddressedProblem,
} from './addressing.ts';
import { dataFormProblems } from './data-problems.ts';
import { judgeData, type SchemaPolicy } from './data-schemas.ts';
import { withIds, withoutNulls } from './event-completion.ts';
import {
  EVENT_FIELDS,
  EventInput,
  type GivenEvent,
  type OptionalField,
  STORED_FIELDS,
  TIMESTAMP_FORM,
  withTextIds,
} from './event-fields.ts';
import { RESERVED_TYPES } from './event-types.ts';
import { readSentText, type SentJson, type SentText, withMembers } from './sent-text.ts';

/** A valid event, ready to be stored. Its JSON goes to clients unchanged. */
export interface Event {
  readonly type: string;
  readonly channel: string;
  readonly messageId: string;
  /** `{"type","data","timestamp","message_id",…}`; `data` has the text that the publisher sent. */
  readonly json: string;
  readonly idempotencyKey?: string;
  /** Also the last member of `json`. */
  readonly traceparent?: string;
  /** The event is not stored, and nothing is remembered about it. */
  readonly live?: true;
  /** The event names nobody, and goes to everybody because the caller allows that. */
  readonly unaddressed?: true;
  /** How its `data` misses the schema of its type; absent when it fits. */
  readonly warnings?: readonly Problem[];
}

/** The rules of an installation for events from outside. */
export interface EventRules {
  /** Decides about events that name nobody. */
  readonly unaddressed: UnaddressedPolicy;
  /** Decides about events whose `data` does not fit the schema of their type. */
  readonly schemas: SchemaPolicy;
}

/** A copy of the event with this trace context in place of its own. */
export function withTraceparent(event: Event, traceparent: string): Event {
  const json = `${withoutTraceparent(event).json.slice(0, -1)}${memberOf(traceparent)}}`;
  return { ...event, json, traceparent };
}

/** A copy of the event without its trace context. */
export function withoutTraceparent(event: Event): Event {
  if (event.traceparent === undefined) return event;
  const { traceparent, ...rest } = event;
  return { ...rest, json: `${event.json.slice(0, -memberOf(traceparent).length - 1)}}` };
}

function memberOf(traceparent: string): string {
  return `,"traceparent":"${traceparent}"`;
}

export type ParsedEvent =
  | { readonly ok: true; readonly event: Event }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Upper limit of an event's JSON, in bytes; parts of the system may be configured to accept less. */
export const MAX_EVENT_BYTES = 1_048_576;

/** Shared by all checks that find nothing, because nearly all events are valid. */
const NONE: readonly Problem[] = [];

const inputValidator = Compile(EventInput);
/**
 * Checks neither the names of fields nor the form of the timestamp, because `isEventInput` and the stricter
 * `isTimestamp` are faster.
 */
const quickValidator = Compile(
  Type.Object({ ...EventInput.properties, timestamp: Type.Optional(Type.String()) }),
);

/**
 * Checks an event from outside, routes it, and fills in what its publisher left out. Never throws;
 * the answer holds the event, or everything that is wrong with it.
 * @param json where `sent` was read from, whose `data` is stored as it is; without it `data` is printed
 *   anew. `sent` may have other members than this JSON, but has its `data` and its `message_id`.
 */
export function tryParseEvent(sent: unknown, rules: EventRules, json?: SentJson): ParsedEvent {
  const read = readEvent(sent, rules, json);
  if (!read.ok) return read;
  const problems = addressProblems(read.event, read.type, read.parsed);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, event: completeEvent(read) };
}

/** An event that was checked, but for contradictions between its channel and its ids. */
export interface ReadEvent {
  readonly ok: true;
  readonly type: string;
  /** The channel that the event says it goes to; undefined when it names nobody. */
  readonly route: string | undefined;
  readonly parsed: ParsedChannel | undefined;
  readonly given: GivenEvent;
  /** The event with the ids that it lacked. */
  readonly event: GivenEvent;
  readonly sent: SentText;
  readonly warnings: readonly Problem[];
}

/** Does everything that `tryParseEvent` does, but for `addressProblems` and `completeEvent`. */
export function readEvent(
  sent: unknown,
  { unaddressed, schemas }: EventRules,
  json?: SentJson,
): ReadEvent | { readonly ok: false; readonly problems: readonly Problem[] } {
  const input = withoutNulls(sent);
  if (!isEventInput(input)) {
    return { ok: false, problems: findProblems(EventInput, inputValidator, input) };
  }
  const given = withTextIds(input);
  const type = given.type ?? given.event_type;
  if (type === undefined) return refuse('type', 'is required');
  if (isDeeperThan(given.data, MAX_DEPTH)) {
    return refuse('data', `must not be nested more than ${MAX_DEPTH} levels deep`);
  }
  const read = readSentText(given, json);
  if (!read.ok) return read;
  const route = routeOf(given, type);
  const parsed = tryParseChannel(route ?? ALL);
  const event = withIds(given, type, parsed);
  const malformed = dataFormProblems(event.data, read.sent.data);
  const { problems: unfit, warnings } = judgeData({ type, route }, event.data, schemas);
  const found = [
    typeProblems(event, type),
    malformed.length > 0 ? malformed : unfit,
    event.channel === undefined ? NONE : channelProblems(event.channel, parsed),
    textProblems(event),
    timestampProblems(event),
    liveProblems(event),
  ];
  if (found.some((each) => each.length > 0)) return { ok: false, problems: found.flat() };
  const problem = route === undefined ? unaddressedProblem(type, unaddressed) : undefined;
  if (problem !== undefined) return { ok: false, problems: [problem] };
  return { ok: true, type, route, parsed, given, event, sent: read.sent, warnings };
}

/** Fills in what the publisher left out. */
export function completeEvent(read: ReadEvent): Event {
  const { type, route, given, event, warnings } = read;
  const stored = withAddedMembers(read.sent, given.data, event.data);
  const accepted = normalise(event, { type, channel: route ?? ALL }, stored);
  if (route === undefined) accepted.unaddressed = true;
  if (warnings.length > 0) accepted.warnings = warnings;
  return accepted;
}

const FIELDS: ReadonlySet<string> = new Set(Object.keys(EVENT_FIELDS));

function isEventInput(input: unknown): input is EventInput {
  if (!quickValidator.Check(input)) return false;
  for (const name in input) if (!FIELDS.has(name)) return false;
  return true;
}

function typeProblems(event: GivenEvent, type: string): readonly Problem[] {
  if (event.event_type !== undefined && event.event_type !== type) {
    return [{ field: 'event_type', message: 'differs from type; give one of them' }];
  }
  const reason = RESERVED_TYPES.get(type);
  if (reason === undefined) return NONE;
  return [{ field: 'type', message: `"${type}" is reserved: ${reason}` }];
}

/** UTF-8 has no lone surrogates: two different texts with one would become the same text. */
function textProblems(event: GivenEvent): readonly Problem[] {
  let problems = NONE;
  for (const field in event) {
    const value = event[field as keyof GivenEvent];
    if (typeof value !== 'string' || value.isWellFormed()) continue;
    problems = [...problems, { field, message: 'must be well-formed text' }];
  }
  return problems;
}

/** The schema allows more, such as leap seconds. */
function timestampProblems({ timestamp }: GivenEvent): readonly Problem[] {
  if (timestamp === undefined || isTimestamp(timestamp)) return NONE;
  return [{ field: 'timestamp', message: `must be ${TIMESTAMP_FORM}` }];
}

/** A key would promise that the event can be sent again without being delivered twice. */
function liveProblems({ live, idempotency_key: key }: GivenEvent): readonly Problem[] {
  if (live !== true || key === undefined) return NONE;
  const message = 'must not be given with live, because nothing of a live event is remembered';
  return [{ field: 'idempotency_key', message }];
}

/** Only a channel that the publisher named can be wrong; ids are checked before they become one. */
function channelProblems(name: string, parsed: ParsedChannel | undefined): readonly Problem[] {
  const kind = parsed?.kind;
  if (kind !== undefined && kind !== 'firehose') return NONE;
  const suggested = suggestChannel(name);
  const how = suggested === undefined ? '' : `, with the id percent-encoded: ${suggested}`;
  return [{ field: 'channel', message: `must be all, logs, project:ID or user:ID${how}` }];
}

/** Adds members that `data` has and `given` lacks, which are ids, to the sent text. */
function withAddedMembers(sent: SentText, given: object, data: object): SentText {
  if (data === given) return sent;
  const added = Object.entries(data).filter(([name]) => !Object.hasOwn(given, name));
  return { ...sent, data: withMembers(sent.data, Object.fromEntries(added)) };
}

function normalise(
  event: GivenEvent,
  to: Pick<Event, 'type' | 'channel'>,
  sent: SentText,
): Writable<Event> {
  const { idempotency_key: key, traceparent, message_id: messageId = crypto.randomUUID() } = event;
  const { type, channel } = to;
  const json = envelopeOf(event, {
    type: JSON.stringify(type),
    data: sent.data,
    timestamp: JSON.stringify(event.timestamp ?? currentTimestamp()),
    message_id: sent.messageId ?? JSON.stringify(messageId),
  });
  const accepted: Writable<Event> = { type, channel, messageId, json };
  if (key !== undefined) accepted.idempotencyKey = key;
  if (traceparent !== undefined) accepted.traceparent = traceparent;
  if (event.live === true) accepted.live = true;
  return accepted;
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };
type PresentField = 'type' | 'data' | 'timestamp' | 'message_id';
/** Optional stored fields, which follow the fields that every event has. */
const REST_FIELDS = STORED_FIELDS.filter(
  (name): name is Exclude<OptionalField, PresentField> =>
    !['type', 'data', 'timestamp', 'message_id'].includes(name),
);

/** The stored fields in the order of the table; written out, because publishing is a hot path. */
function envelopeOf(event: GivenEvent, texts: Readonly<Record<PresentField, string>>): string {
  const { type, data, timestamp, message_id: messageId } = texts;
  let json = `{"type":${type},"data":${data},"timestamp":${timestamp},"message_id":${messageId}`;
  for (const name of REST_FIELDS) {
    const value = event[name];
    if (value !== undefined && value !== false) json += `,"${name}":${JSON.stringify(value)}`;
  }
  return `${json}}`;
}

let now = { at: 0, text: '' };

/** Formatted once a millisecond, however many events arrive in it. */
export function currentTimestamp(): string {
  const at = Date.now();
  if (at !== now.at) now = { at, text: new Date(at).toISOString() };
  return now.text;
}

function refuse(field: string, message: string): { ok: false; problems: readonly Problem[] } {
  return { ok: false, problems: [{ field, message }] };
}
