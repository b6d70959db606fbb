import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { projectChannel, tryParseChannel, userChannel } from '../wire/channel.ts';
import { Id, tryReadId } from '../wire/id.ts';
import { findProblems, type Problem } from '../wire/problems.ts';
import { addressProblems } from './addressing.ts';
import {
  completeEvent,
  currentTimestamp,
  type Event,
  type EventRules,
  type ReadEvent,
  readEvent,
} from './event.ts';
import type { SentJson } from './sent-text.ts';

/** The most channels that the events of one request go to, where lists name them. */
export const MAX_RECIPIENTS = 2_000;

const ids = (whose: string) =>
  Type.Array(Id, {
    minItems: 1,
    maxItems: MAX_RECIPIENTS,
    description: `${whose} that each get the event; at most ${MAX_RECIPIENTS} with those of the other list`,
  });

/**
 * Fields that name many recipients of one event over HTTP. An event by FCALL or PUBLISH has none,
 * because the key names its channel.
 */
export const LIST_FIELDS = { user_ids: ids('users'), project_ids: ids('projects') } as const;

const Lists = Type.Partial(Type.Object(LIST_FIELDS));
type Lists = Static<typeof Lists>;
const listsValidator = Compile(Lists);

type ListField = keyof typeof LIST_FIELDS;
const KINDS = {
  user_ids: { own: 'user_id', excluded: ['channel', 'user_id'], channelOf: userChannel },
  project_ids: {
    own: 'project_id',
    excluded: ['channel', 'user_id', 'project_id'],
    channelOf: projectChannel,
  },
} as const;
const FIELDS = Object.keys(KINDS) as ListField[];

/** A listed event goes to several channels; this is one of them. */
export interface Recipient {
  readonly id: string;
  readonly channel: string;
  /** Reasons why the event may not go there; empty when it may. */
  readonly problems: readonly Problem[];
}

/** An event for several users, or for several projects. */
export interface EventList {
  /** The event with `placeholder` in place of the recipient's id. */
  readonly template: Event;
  /** An id that occurs nowhere else in `template`. */
  readonly placeholder: string;
  readonly recipients: readonly Recipient[];
}

export type ParsedLists =
  | { readonly ok: true; readonly lists: readonly EventList[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Whether an event from outside names its recipients in lists. */
export function hasLists(sent: unknown): sent is object {
  if (typeof sent !== 'object' || sent === null) return false;
  const { user_ids: users, project_ids: projects } = sent as Readonly<Record<string, unknown>>;
  return isGiven(users) || isGiven(projects);
}

/** Null means that the field was left out. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/**
 * Checks an event for many recipients once for all of them. For each, the outcome is that of
 * `tryParseEvent` for the same event with `user_id` or `project_id` in place of the lists; message
 * id and time are the same for all. Never throws.
 * @param sent an event for which `hasLists` is true
 * @param json see `tryParseEvent`
 * @returns a list for the users, then one for the projects
 */
export function tryParseLists(sent: object, rules: EventRules, json?: SentJson): ParsedLists {
  const { user_ids, project_ids, ...event } = sent as Readonly<Record<string, unknown>>;
  const given = Object.entries({ user_ids, project_ids }).filter(([, ids]) => isGiven(ids));
  const named = Object.fromEntries(given) as Lists;
  const problems = listProblems(named, event);
  if (problems.length > 0) return { ok: false, problems };
  const same = {
    ...event,
    message_id: event['message_id'] ?? crypto.randomUUID(),
    timestamp: event['timestamp'] ?? currentTimestamp(),
  };
  const lists: EventList[] = [];
  for (const field of FIELDS) {
    const recipients = named[field];
    if (recipients === undefined) continue;
    const placeholder = crypto.randomUUID();
    const read = readEvent({ ...same, [KINDS[field].own]: placeholder }, rules, json);
    if (!read.ok) return read;
    lists.push(listOf(field, { read, placeholder, ids: recipients.map(textOf) }));
  }
  return { ok: true, lists };
}

/** One event for many channels, as brokers take it. */
export interface EventForEach {
  readonly type: string;
  readonly messageId: string;
  /** Texts between which the JSON of a channel's id makes the event's JSON for that channel. */
  readonly parts: readonly string[];
  /** Channels of users or projects, none twice. */
  readonly channels: readonly string[];
  readonly idempotencyKey?: string;
  /** The event is not stored, and nothing is remembered about it. */
  readonly live?: true;
}

/** @param channels those of the list's channels that the event shall go to */
export function eventForEach(
  { template, placeholder }: Pick<EventList, 'template' | 'placeholder'>,
  channels: readonly string[],
): EventForEach {
  const { type, messageId, json } = template;
  const parts = json.split(JSON.stringify(placeholder));
  return { type, messageId, parts, channels, ...optionsOf(template) };
}

/** The event as it is stored in one of its channels. */
export function eventIn(event: EventForEach, channel: string): Event {
  const { type, messageId, parts } = event;
  const json = parts.join(JSON.stringify(tryParseChannel(channel)?.id ?? ''));
  return { type, channel, messageId, json, ...optionsOf(event) };
}

function optionsOf({ idempotencyKey, live }: Pick<Event, 'idempotencyKey' | 'live'>) {
  return { ...(idempotencyKey !== undefined && { idempotencyKey }), ...(live && { live }) };
}

/** @param lists unchecked */
function listProblems(lists: Lists, event: object): readonly Problem[] {
  const problems = findProblems(Lists, listsValidator, lists);
  if (problems.length > 0) return problems;
  const count = (lists.user_ids?.length ?? 0) + (lists.project_ids?.length ?? 0);
  if (count > MAX_RECIPIENTS) {
    const message = `has ${count} ids with user_ids; an event has at most ${MAX_RECIPIENTS} recipients`;
    return [{ field: 'project_ids', message }];
  }
  return FIELDS.flatMap((field) => [
    ...exclusions(field, lists, event),
    ...repetitions(field, lists[field] ?? []),
  ]);
}

function exclusions(field: ListField, lists: Lists, event: object): readonly Problem[] {
  if (lists[field] === undefined) return [];
  const given = event as Readonly<Record<string, unknown>>;
  return KINDS[field].excluded
    .filter((name) => isGiven(given[name]))
    .map((name) => ({ field: name, message: `must not be given beside ${field}` }));
}

/** Names the first repetition: the second result of an id would say less than this. */
function repetitions(field: ListField, list: readonly Id[]): readonly Problem[] {
  const seen = new Set<string>();
  for (const [index, id] of list.entries()) {
    const text = textOf(id);
    if (seen.has(text)) return [{ field: `${field}.${index}`, message: 'is given more than once' }];
    seen.add(text);
  }
  return [];
}

function textOf(id: Id): string {
  return tryReadId(id) ?? String(id);
}

interface Listed {
  readonly read: ReadEvent;
  readonly placeholder: string;
  readonly ids: readonly string[];
}

function listOf(field: ListField, { read, placeholder, ids }: Listed): EventList {
  const { channelOf } = KINDS[field];
  // Only ids in `data` make a difference between recipients, and hardly any event has some.
  const isSame = problemsFor(field, read, placeholder).length === 0;
  const recipients = ids.map((id) => ({
    id,
    channel: channelOf(id),
    problems: isSame ? NONE : problemsFor(field, read, id),
  }));
  return { template: completeEvent(read), placeholder, recipients };
}

const NONE: readonly Problem[] = [];

function problemsFor(field: ListField, read: ReadEvent, id: string): readonly Problem[] {
  const { own, channelOf } = KINDS[field];
  // Ids that were added to `data` are those of the recipient.
  const event = { ...read.event, data: read.given.data, [own]: id };
  return addressProblems(event, read.type, tryParseChannel(channelOf(id)));
}
