import { post } from '@leque/lab';
import type { Redis } from 'ioredis';
import type { Audit } from './audit.ts';
import type { Random } from './random.ts';
import {
  CALLERS,
  CHANNELS,
  mayWrite,
  type Persona,
  PROJECTS,
  routeOf,
  type SentEvent,
  USERS,
} from './world.ts';

export interface Writing {
  readonly publishUrl: string;
  readonly redis: Redis;
  readonly prefix: string;
  readonly audit: Audit;
  readonly random: Random;
}

const TYPES = {
  'task.created': { taskId: 't', userId: 'u0', agentId: 'a' },
  'task.other': {},
  story_created: { story_id: 's', title: 't', project_id: 'p0' },
  story_moved: { story_id: 's', to: 'x' },
  notification: { title: 't', message: 'm' },
  log_message: { level: 'info', message: 'm' },
  tick: {},
} as const;
const IN_BATCH = 20;

/** One round of writing over every way in. */
export async function write(writing: Writing): Promise<void> {
  const { random } = writing;
  const caller = random.of(CALLERS);
  await Promise.all([
    publishList(writing, caller),
    publishOne(writing, random.of(CALLERS)),
    publishToMany(writing, random.of(CALLERS)),
    broadcast(writing, random.of(CALLERS)),
    call(writing),
    send(writing),
  ]);
}

interface Outcome {
  readonly status: string;
  readonly message_id: string;
  readonly channel: string;
}

async function publishList(writing: Writing, caller: Persona): Promise<void> {
  const events = Array.from({ length: IN_BATCH }, () => eventOf(writing));
  const expected = events.map((event) => judge(caller, routeOf(event, false)));
  for (const [at, event] of events.entries()) mark(writing, event, expected[at]);
  const { body } = await post<{ results?: Outcome[] }>(
    `${writing.publishUrl}/api/publish`,
    events,
    caller.credentials,
  );
  for (const [at, event] of events.entries()) {
    check(writing, { caller, event, expected: expected[at], result: body.results?.[at] });
  }
}

async function publishOne(writing: Writing, caller: Persona): Promise<void> {
  await single(writing, { caller, path: '/api/publish', canBeUnaddressed: false });
}

/** One event for many: for each recipient it is judged like the same event for it alone. */
async function publishToMany(writing: Writing, caller: Persona): Promise<void> {
  const { audit, random } = writing;
  const { channel: _, user_id, project_id, ...event } = eventOf(writing);
  const user_ids = random.some(USERS);
  const project_ids = random.some(PROJECTS).map((id) => asNumber(id, random) ?? id);
  const alone = [
    ...user_ids.map((id) => ({ ...event, user_id: id })),
    ...project_ids.map((id) => ({ ...event, project_id: id })),
  ];
  const expected = alone.map((each) => judge(caller, routeOf(each, false)));
  audit.expect(markOf(event), ...expected);
  const lists = {
    ...(user_ids.length > 0 && { user_ids }),
    ...(project_ids.length > 0 && { project_ids }),
  };
  // Keys of lists are their own, because a list has the same message id in all of its channels.
  const key = event.idempotency_key === undefined ? undefined : `list ${event.idempotency_key}`;
  const sent = { ...event, ...lists, idempotency_key: key };
  if (alone.length === 0) return;
  const url = `${writing.publishUrl}/api/publish`;
  const { body } = await post<{ results?: Outcome[] }>(url, sent, caller.credentials);
  for (const [at, each] of alone.entries()) {
    const result = body.results?.[at];
    const stored = result?.status === 'stored';
    audit.attempt(expected[at] !== undefined, stored, { caller: caller.name, event: each, result });
    if (!stored) continue;
    audit.attempt(true, result.channel === expected[at], { event: each, result });
    if (key !== undefined) audit.stored(`${caller.name} ${key}`, result.message_id);
  }
}

async function broadcast(writing: Writing, caller: Persona): Promise<void> {
  await single(writing, { caller, path: '/api/ws/broadcast', canBeUnaddressed: true });
}

interface Way {
  readonly caller: Persona;
  readonly path: string;
  readonly canBeUnaddressed: boolean;
}

async function single(writing: Writing, { caller, path, canBeUnaddressed }: Way): Promise<void> {
  const event = eventOf(writing);
  const expected = judge(caller, routeOf(event, canBeUnaddressed));
  mark(writing, event, expected);
  const url = writing.publishUrl + path;
  const { status, body } = await post<Outcome>(url, event, caller.credentials);
  const result = { ...body, status: status === 200 ? 'stored' : 'refused' };
  check(writing, { caller, event, expected, result });
}

/** A service with a Redis client is trusted: the key is the channel, whatever the event says. */
async function call(writing: Writing): Promise<void> {
  const { key, channel, event, expected } = keyed(writing);
  const asked = writing.redis.call('FCALL', 'leque_publish', '1', key, JSON.stringify(event));
  const stored = await asked.then(
    () => true,
    () => false,
  );
  writing.audit.attempt(expected !== undefined, stored, { way: 'FCALL', channel, event });
}

/** Nobody answers: the clients show where the event went. */
async function send(writing: Writing): Promise<void> {
  const { key, event } = keyed(writing);
  await writing.redis.publish(key, JSON.stringify(event));
  writing.audit.attempt(true, true, event);
}

function keyed(writing: Writing) {
  const channel = writing.random.of(CHANNELS);
  const { channel: _, idempotency_key: __, ...event } = eventOf(writing);
  const expected = routeOf({ ...event, channel }, false);
  mark(writing, event, expected);
  return { key: `${writing.prefix}{${channel}}`, channel, event, expected };
}

interface Attempt {
  readonly caller: Persona;
  readonly event: SentEvent;
  readonly expected: string | undefined;
  readonly result: Outcome | undefined;
}

function check({ audit }: Writing, { caller, event, expected, result }: Attempt): void {
  const stored = result?.status === 'stored';
  const isRight = stored && result.channel === expected;
  audit.attempt(expected !== undefined, stored, { caller: caller.name, event, result });
  if (stored && expected !== undefined) audit.attempt(true, isRight, { event, result });
  if (!isRight || event.idempotency_key === undefined) return;
  const owner = `${caller.name} ${expected} ${event.idempotency_key}`;
  audit.stored(owner, result.message_id);
}

function judge(caller: Persona, channel: string | undefined): string | undefined {
  return channel !== undefined && mayWrite(caller, channel) ? channel : undefined;
}

/** Remembers where an event may be seen; it is sent with the mark only after that. */
function mark({ audit }: Writing, event: SentEvent, channel: string | undefined): void {
  audit.expect(markOf(event), channel);
}

function markOf({ data }: Pick<SentEvent, 'data'>): number {
  return (data as { mark: number }).mark;
}

function eventOf({ random, audit }: Writing): SentEvent {
  const [type, data] = random.of(Object.entries(TYPES));
  const user = () => random.maybe(USERS);
  const project = () => asNumber(random.maybe(PROJECTS), random);
  const own = { channel: random.maybe(CHANNELS), user_id: user(), project_id: project() };
  const inData = { userId: user(), user_id: user(), project_id: project() };
  // So few keys that most of them are known.
  const idempotency_key = random.maybe(['k0', 'k1']);
  return {
    type,
    ...given({ ...own, idempotency_key }),
    data: { ...data, ...given(inData), mark: audit.mark() },
  };
}

/** An id of digits is now and then a number. */
function asNumber(id: string | undefined, random: Random): string | number | undefined {
  return id === '42' && random.below(2) === 0 ? Number(id) : id;
}

function given(fields: Readonly<Record<string, Value | undefined>>): Record<string, Value> {
  const entries = Object.entries(fields);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, Value] => entry[1] !== undefined),
  );
}

type Value = string | number;
