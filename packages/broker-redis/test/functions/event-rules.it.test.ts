import {
  describeProblems,
  type EVENT_DATA,
  EVENT_FIELDS,
  tryParseChannel,
  tryParseEvent,
} from '@leque/protocol';
import { Random, startRedis, uniquePrefix } from '@leque/testkit';
import { TIMESTAMPS, upTo } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { foreignService } from '../support/foreign-service.ts';
import { startNode } from '../support/redis-node.ts';

/** Each call opens a connection of its own. */
const CALLS_AT_A_TIME = 20;

const RULES = { unaddressed: 'refuse', schemas: 'warn' } as const;

/** Each policy with the share of the variations that is compared under it, one in so many. */
const POLICIES = [
  ['strict', 1],
  ['warn', 2],
  ['off', 8],
] as const;

test.each(POLICIES)(
  '[EV3] [EV6] with EVENT_SCHEMAS=%s FCALL has the verdicts of the HTTP interface',
  async (schemas, share) => {
    await using redis = await startRedis();
    const prefix = uniquePrefix();
    const settings = { EVENT_SCHEMAS: schemas };
    await using _ = await startNode({ url: redis.url, prefix, settings });
    const { fcall } = foreignService(redis.url, prefix);
    const disagreements: unknown[] = [];
    const compare = async (input: Loose) => {
      const reply = await fcall('project:P', JSON.stringify(input));
      const rules = { unaddressed: 'refuse', schemas } as const;
      const parsed = tryParseEvent({ ...input, channel: 'project:P' }, rules);
      const warned = Array.isArray(reply) ? reply.length === 5 : undefined;
      const expected = parsed.ok ? parsed.event.warnings !== undefined : undefined;
      if (warned !== expected) disagreements.push([input, reply, parsed]);
    };
    const inputs = [...variations()].filter((_, index) => index % share === 0);
    while (inputs.length > 0) await Promise.all(inputs.splice(0, CALLS_AT_A_TIME).map(compare));
    expect(disagreements).toEqual([]);
  },
);

test('[EV4] FCALL stores the same for the same event as the HTTP interface', async () => {
  await using redis = await startRedis();
  const prefix = uniquePrefix();
  await using node = await startNode({ url: redis.url, prefix });
  const { fcall } = foreignService(redis.url, prefix);
  const own = '"timestamp":"2026-01-02T03:04:05Z","message_id":"m"';
  const texts = [
    `{"type":"x","data":{},${own}}`,
    `{"type":"x","data":{},"project_id":"Q",${own}}`,
    `{"type":"x","data":{},${own},"user_id":null}`,
    `{"traceparent":"00-${'a'.repeat(32)}-${'b'.repeat(16)}-01","type":"x","data":{},${own}}`,
    `{"user_id" : null , "type":"x","data":{},"project_id":null,${own},"story_id": null }`,
    `{"channel":null,"data":{"a":null,"b":[null,{"c":null}]},"event_type":null,"type":"x",${own}}`,
    `{"data":{"a":"}\\"{[\\\\","data":{}},"type":"x",${own},"idempotency_key":null}`,
    `{"type":"story_created","data":{"story_id":"S","title":"\\"data\\":{"},${own}}`,
    `{"type":"story_deleted", "data" : { } ,"story_id":"S",${own}}`,
    `{"event_type":"chat_message","data":{"preview":null,"project_id":"Q"},"story_id":"S",${own}}`,
    `{"event_type":"chat_message","data":{"preview":""},"story_id":"S",${own}}`,
    `{"type":"x","data":{"story_id":"S","project_id":"R","user_id":"W"},${own}}`,
    `{"type":"x","data":{"story_id":"S"},"story_id":null,${own},"user_id":"V"}`,
    `{"type":"x","data":{"story_id":"S"},"story_id":"T",${own}}`,
    `{"type":"x","data":{"story_id":"a b","project_id":7,"user_id":null},${own}}`,
    `{"type":"x","data":{"story_id":"${'x'.repeat(129)}","user_id":"\\u0055"},${own}}`,
    `{"type":"x","data":{"in":{"story_id":"S"}},${own}}`,
    `{"type":"x","data":{"story_id":7,"user_id":9007199254740993},${own}}`,
    `{"type":"x","data":{},"story_id":-0,${own}}`,
    `{"type":"x","data":{},"story_id":1e3,${own}}`,
    `{"type":"x","data":{},"story_id":42.0,${own}}`,
    `{"type":"x","data":{},"story_id":9007199254740991,${own}}`,
    `{"type":"x","data":{},"story_id":9007199254740993,${own}}`,
    `{"type":"x","data":{},"story_id":"a\\"\\\\/\\u00e9\\ud83d\\ude00 %7C{}|é",${own}}`,
    `{"type":"story_deleted","data":{},"story_id":"\\"\\\\",${own}}`,
    `{"type":"story_deleted","data":{"story_id":12},${own}}`,
    `{"type":"task.created","data":{"taskId":1,"userId":7,"agentId":2},"user_id":"7",${own}}`,
    `{"type":"x","data":{},"story_id":"a\\u0085",${own}}`,
    `{"type":"x","data":{},"story_id":"a\\u2028",${own}}`,
    `{"type":"x","data":{},"story_id":"a\\u0000",${own}}`,
    `{"type":"x","data":{},"story_id":"*",${own}}`,
    `{"live":false,"type":"x","data":{},${own}}`,
    `{"live":null,"type":"x","data":{},${own},"idempotency_key":"k"}`,
    `{"live":1,"type":"x","data":{},${own}}`,
    `{"live":true,"type":"x","data":{},${own},"idempotency_key":"k"}`,
  ];
  const stored: unknown[] = [];
  for (const [channel, kind] of [
    ['project:P', 'project_id'],
    ['user:U', 'user_id'],
    ['user:a%22%5C%7C%7B%7D%C3%A9%25', 'user_id'],
    ['all', undefined],
  ] as const) {
    for (const text of texts) {
      const reply = await fcall(channel, text);
      const sent = JSON.parse(text);
      const parsed = tryParseEvent({ ...sent, channel }, RULES, { text, parsed: sent });
      expect([text, reply instanceof Error]).toEqual([text, !parsed.ok]);
      if (!parsed.ok) continue;
      const { publications } = await node.broker.history(channel, undefined, upTo(1));
      expect(publications[0]?.json).toBe(parsed.event.json);
      stored.push(kind === undefined ? undefined : JSON.parse(parsed.event.json)[kind]);
    }
  }
  expect(new Set(stored)).toEqual(new Set(['P', 'U', 'a"\\|{}é%', undefined]));
});

test('[RT.2] [RT.3] [ISO] FCALL refuses the same contradictions as the HTTP interface', async () => {
  await using redis = await startRedis();
  const prefix = uniquePrefix();
  await using _ = await startNode({ url: redis.url, prefix });
  const { fcall } = foreignService(redis.url, prefix);
  const verdicts = new Map<string, number>();
  const compare = async ({ channel, event }: Addressed) => {
    const reply = await fcall(channel, JSON.stringify(event));
    const parsed = tryParseEvent({ ...event, channel }, RULES);
    const verdict = parsed.ok ? 'accepted' : `ERR leque: ${describeProblems(parsed.problems)}`;
    expect([channel, event, reply instanceof Error ? reply.message : 'accepted']).toEqual([
      channel,
      event,
      verdict,
    ]);
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
  };
  const inputs = [...addressed()];
  while (inputs.length > 0) await Promise.all(inputs.splice(0, CALLS_AT_A_TIME).map(compare));
  expect([...verdicts.keys()]).toEqual(
    expect.arrayContaining(['accepted', 'ERR leque: channel must not be all for task.*']),
  );
});

test('[CH.2] [ISO] FCALL knows a channel by the one name that other nodes know it by', async () => {
  await using redis = await startRedis();
  const prefix = uniquePrefix();
  await using _ = await startNode({ url: redis.url, prefix });
  const { fcall } = foreignService(redis.url, prefix);
  const random = new Random(1);
  const parts = [
    'a',
    '%',
    '7C',
    '7c',
    '%7C',
    '%C3%A9',
    'é',
    '|',
    '~',
    '%61',
    '%2A',
    '%00',
    ' ',
    '%E9',
  ];
  const channels = Array.from({ length: 200 }, () => {
    const length = random.below(4);
    return `user:${Array.from({ length }, () => parts[random.below(parts.length)]).join('')}`;
  });
  const disagreements: unknown[] = [];
  const compare = async (channel: string) => {
    const reply = await fcall(channel, '{"type":"x","data":{}}');
    const isKnown = tryParseChannel(channel) !== undefined;
    if (isKnown === reply instanceof Error) disagreements.push([channel, reply]);
  };
  while (channels.length > 0) await Promise.all(channels.splice(0, CALLS_AT_A_TIME).map(compare));
  expect(disagreements).toEqual([]);
});

interface Addressed {
  readonly channel: string;
  readonly event: object;
}

/** Every seventh of all events with ids in the places that can contradict each other. */
function* addressed(): Generator<Addressed> {
  const types = {
    'task.created': { ...TASK, userId: 'a' },
    'task.archived': {},
    story_moved: SAMPLES.story_moved,
    notification: SAMPLES.notification,
    tick: {},
  };
  const ids = [undefined, 'a', 'b'];
  const places = [
    Object.entries(types),
    ['all', 'logs', 'user:a', 'user:b', 'project:a', 'project:b'],
    ...[ids, ids, ids, ids, ids],
  ];
  const total = places.reduce((product, { length }) => product * length, 1);
  for (let index = 0; index < total; index += 7) {
    let rest = index;
    const [sample, channel, ...chosen] = places.map((values) => {
      const value = values[rest % values.length];
      rest = Math.floor(rest / values.length);
      return value;
    });
    const [type, data] = sample as [string, object];
    const [user_id, project_id, userId, userIdInData, projectIdInData] = chosen;
    const own = given({ user_id, project_id });
    const inData = given({ userId, user_id: userIdInData, project_id: projectIdInData });
    yield { channel: String(channel), event: { type, ...own, data: { ...data, ...inData } } };
  }
}

function given(fields: Loose): Loose {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

type Loose = Record<string, unknown>;

/** Valid events of every known type, and variations of them with one mistake each. */
function* variations(): Generator<Loose> {
  const strange = [
    '',
    'x',
    'x'.repeat(129),
    'é'.repeat(128),
    'é'.repeat(129),
    'auth0|1',
    '*',
    2 ** 53,
    0,
    -1,
    0.5,
    50,
    101,
    true,
    null,
    [],
    {},
  ];
  for (const [type, data] of Object.entries(SAMPLES)) {
    yield { type, data };
    for (const name of [...Object.keys(data), 'title', 'progress', 'tokensUsed', 'other']) {
      const { [name]: _, ...without } = data as Loose;
      yield { type, data: without };
      for (const value of strange) yield { type, data: { ...data, [name]: value } };
    }
  }
  const times = TIMESTAMPS.map(([text]) => text);
  const trace = `00-${'a'.repeat(32)}-${'0'.repeat(16)}-01`;
  yield { type: 'x' };
  for (const levels of [98, 99, 100, 101]) {
    for (const inArrays of [true, false]) {
      yield { type: 'x', data: { deep: nested(levels, inArrays) } };
    }
  }
  const names = Object.keys(EVENT_FIELDS).filter((name) => name !== 'channel'); // it is that of the key
  for (const name of [...names, 'unknown']) {
    const traces = [
      trace,
      trace.toUpperCase(),
      trace.slice(1),
      `${trace}0`,
      trace.replace('a-0', '-a0'),
    ];
    for (const value of [...strange, 'a b', 'a:b', 'ping', ...times, ...traces]) {
      yield { type: 'x', data: {}, [name]: value };
    }
  }
}

/** An empty value nested that deeply. */
function nested(levels: number, inArrays: boolean): unknown {
  let value: unknown = inArrays ? [] : {};
  for (let level = 1; level < levels; level += 1) value = inArrays ? [value] : { value };
  return value;
}

const TASK = { taskId: 't', userId: 'u', agentId: 'a' };
const STORY = { story_id: 's', title: 't' };
const SAMPLES: Record<keyof typeof EVENT_DATA, object> = {
  story_created: { ...STORY, project_id: 'P' },
  story_updated: STORY,
  story_moved: { ...STORY, to: 'done' },
  story_deleted: { story_id: 's' },
  task_created: { task_id: 't', title: 't', story_id: 's' },
  task_updated: { task_id: 't', progress: 40 },
  task_completed: { task_id: 't', story_id: 's' },
  task_deleted: { task_id: 't' },
  chat_message: { preview: '', project_id: 'P', story_id: 's' },
  job_started: { job_id: 'j' },
  job_progress: { job_id: 'j', progress: 40, output: 'o' },
  job_completed: { job_id: 'j' },
  job_failed: { job_id: 'j', error: 'e', status: 's' },
  notification: { title: 't', message: 'm', level: 'l' },
  error: { message: 'm', code: 7 },
  log_message: { level: 'info', message: '' },
  'task.created': { ...TASK, priority: 'high' },
  'task.processing': TASK,
  'task.completed': { ...TASK, tokensUsed: 5, executionTimeMs: 0.5 },
  'task.failed': { ...TASK, error: 'e', retryCount: 0 },
  'task.cancelled': TASK,
};
