import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeEnvelope } from '../wire/envelope.ts';
import { tryParseEvent, withTraceparent } from './event.ts';
import { EVENT_DATA, RESERVED_TYPES } from './event-types.ts';

const tick = { type: 'tick', data: {} };

function accepted(input: unknown) {
  const parsed = tryParseEvent(input);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return { ...parsed.event, sent: JSON.parse(parsed.event.json) };
}

function problems(input: unknown): string[] {
  const parsed = tryParseEvent(input);
  if (parsed.ok) throw new Error('not refused');
  return parsed.problems.map(({ field, message }) => `${field}: ${message}`);
}

describe('routing', () => {
  test.each([
    [{}, 'all'],
    [{ project_id: 'P' }, 'project:P'],
    [{ user_id: 'U' }, 'user:U'],
    [{ user_id: 'U', project_id: 'P' }, 'user:U'],
    [{ story_id: 'S' }, 'all'],
    [{ channel: 'project:Q', user_id: 'U', project_id: 'P' }, 'project:Q'],
    [{ channel: 'logs' }, 'logs'],
    [{ type: 'log_message', data: { level: 'info', message: '' } }, 'logs'],
    [{ type: 'log_message', data: { level: 'info', message: '' }, project_id: 'P' }, 'project:P'],
  ])('[RT] %j goes to %s', (fields, channel) => {
    expect(accepted({ ...tick, ...fields }).channel).toBe(channel);
  });

  test.each(['firehose', 'nowhere', 'project:', 'project:a b', 'user:', '', 'constructor'])(
    '[CH] nobody publishes to the channel %j',
    (channel) => {
      expect(problems({ ...tick, channel })).toEqual([
        'channel: must be all, logs, project:ID or user:ID',
      ]);
    },
  );
});

describe('the fields of an event', () => {
  test('[EV4] what a publisher leaves out is filled in', () => {
    const { messageId, sent, idempotencyKey } = accepted(tick);
    expect(sent).toEqual({
      type: 'tick',
      data: {},
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      message_id: messageId,
    });
    expect(idempotencyKey).toBeUndefined();
  });

  test('[EV1] what a publisher gives is kept; routing and keys are not for clients', () => {
    const { sent, messageId, idempotencyKey } = accepted({
      ...tick,
      project_id: 'P',
      user_id: 'U',
      story_id: 'S',
      channel: 'all',
      message_id: 'm-1',
      timestamp: '2025-01-15T10:30:00Z',
      idempotency_key: 'k',
    });
    expect(sent).toEqual({
      type: 'tick',
      data: {},
      timestamp: '2025-01-15T10:30:00Z',
      message_id: 'm-1',
      project_id: 'P',
      story_id: 'S',
      user_id: 'U',
    });
    expect({ messageId, idempotencyKey }).toEqual({ messageId: 'm-1', idempotencyKey: 'k' });
  });

  test('[EV1] the event_type of the earlier system', () => {
    expect(accepted({ event_type: 'tick', data: {} }).type).toBe('tick');
    expect(accepted({ event_type: 'tick', type: 'tick', data: {} }).type).toBe('tick');
    expect(problems({ event_type: 'tock', type: 'tick', data: {} })).toEqual([
      'event_type: differs from type; give one of them',
    ]);
  });

  test.each([
    [null, ': must be object'],
    [7, ': must be object'],
    [[], ': must be object'],
    [{ data: {} }, 'type: is required'],
    [{ type: 'tick' }, 'data: is required'],
    [{ ...tick, data: null }, 'data: must be object'],
    [{ ...tick, data: [] }, 'data: must be object'],
    [{ ...tick, type: 7 }, 'type: must be string'],
    [
      { ...tick, project_id: 'a b' },
      'project_id: must be 1 to 128 letters, digits and . _ - : @ +',
    ],
    [{ ...tick, projectid: 'P' }, 'projectid: is not a known field'],
    [{ ...tick, timestamp: 'yesterday' }, 'timestamp: must be a date and time as in RFC 3339'],
    [{ ...tick, message_id: '' }, 'message_id: must not have fewer than 1 characters'],
  ])('[EV1] %j is refused: %s', (input, problem) => {
    expect(problems(input)).toEqual([problem]);
  });

  test.each(['a', 'task.archived', 'A:b_c-D.9', 'x'.repeat(64)])('[EV2] the type %s', (type) => {
    expect(accepted({ type, data: { anything: [1] } }).type).toBe(type);
  });

  test.each(['', 'a b', 'ação', 'a/b', 'x'.repeat(65), 'a\n'])(
    '[EV2] the type %j is refused',
    (type) => {
      expect(problems({ type, data: {} })).toEqual([
        'type: must be 1 to 64 letters, digits and . _ - :',
      ]);
    },
  );

  test.each([...RESERVED_TYPES])('[EV2] %s is what only the server says', (type) => {
    expect(problems({ type, data: {} })).toEqual([`type: "${type}" is reserved for the server`]);
  });

  test('[EV3] data that is nested too deeply for some reader of it', () => {
    const nested = (levels: number): object => (levels === 0 ? {} : { deeper: nested(levels - 1) });
    expect(accepted({ type: 'tick', data: nested(99) }).type).toBe('tick');
    expect(problems({ type: 'tick', data: nested(100) })).toEqual([
      'data: must not be nested more than 100 levels deep',
    ]);
    const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    expect(problems({ type: 'tick', data: { deep } })).toHaveLength(1);
  });
});

describe('the types of the seeds', () => {
  const task = { taskId: 'task-uuid', userId: 'user-uuid', agentId: 'agent-uuid' };
  const data: Record<keyof typeof EVENT_DATA, Record<string, unknown>> = {
    story_created: { story_id: 'STR-0001', title: 'Implementar login', project_id: 'PROJ-001' },
    story_updated: { story_id: 'STR-0001', title: 'Implementar login' },
    story_moved: { story_id: 'STR-0001', title: 'Implementar login', to: 'done' },
    story_deleted: { story_id: 'STR-0001' },
    task_created: { task_id: 'STSK-0001', title: 'Criar endpoint', story_id: 'STR-0001' },
    task_updated: { task_id: 'STSK-0001', title: 'Criar endpoint', progress: 50 },
    task_completed: { task_id: 'STSK-0001', title: 'Criar endpoint', story_id: 'STR-0001' },
    task_deleted: { task_id: 'STSK-0001' },
    chat_message: { preview: 'Oi', project_id: 'PROJ-001', story_id: 'STR-0001' },
    job_started: { job_id: 'J1', status: 'running' },
    job_progress: { job_id: 'J1', progress: 40, status: 'running', output: 'linha' },
    job_completed: { job_id: 'J1', status: 'completed' },
    job_failed: { job_id: 'J1', status: 'failed', error: 'timeout' },
    notification: { title: 'Aviso', message: 'Manutencao em 5 minutos', level: 'info' },
    error: { message: 'Falhou', code: 500 },
    log_message: { level: 'info', message: 'Build iniciado', source: 'CI/CD' },
    'task.created': { ...task, status: 'pending', priority: 'normal', prompt: 'User prompt...' },
    'task.processing': { ...task, status: 'processing', updatedAt: '2024-01-01T00:00:00.000Z' },
    'task.completed': { ...task, status: 'completed', tokensUsed: 150, executionTimeMs: 2500 },
    'task.failed': { ...task, status: 'failed', error: 'Error message...', retryCount: 1 },
    'task.cancelled': { ...task, status: 'cancelled' },
  };
  const required: Record<keyof typeof EVENT_DATA, readonly string[]> = {
    story_created: ['story_id', 'title', 'project_id'],
    story_updated: ['story_id'],
    story_moved: ['story_id', 'to'],
    story_deleted: ['story_id'],
    task_created: ['task_id', 'title', 'story_id'],
    task_updated: ['task_id'],
    task_completed: ['task_id', 'story_id'],
    task_deleted: ['task_id'],
    chat_message: ['preview', 'project_id', 'story_id'],
    job_started: ['job_id'],
    job_progress: ['job_id', 'progress'],
    job_completed: ['job_id'],
    job_failed: ['job_id', 'error'],
    notification: ['title', 'message'],
    error: ['message'],
    log_message: ['level', 'message'],
    'task.created': ['taskId', 'userId', 'agentId'],
    'task.processing': ['taskId', 'userId', 'agentId'],
    'task.completed': ['taskId', 'userId', 'agentId'],
    'task.failed': ['taskId', 'userId', 'agentId', 'error'],
    'task.cancelled': ['taskId', 'userId', 'agentId'],
  };
  const types = Object.keys(EVENT_DATA) as (keyof typeof EVENT_DATA)[];

  test.each(types)('[EV3] %s, with fields that its schema does not name', (type) => {
    const more = { ...data[type], more: { of: ['it'] } };
    expect(accepted({ type, data: more }).sent.data).toEqual(more);
  });

  test.each(types)('[EV3] %s without what it needs is refused, field by field', (type) => {
    expect(problems({ type, data: {} })).toEqual(
      required[type].map((field) => `data.${field}: is required`),
    );
  });

  test.each([
    ['task_updated', { progress: 101 }, 'data.progress: must be <= 100'],
    ['job_progress', { progress: '40' }, 'data.progress: must be number'],
    [
      'log_message',
      { level: 'loud' },
      'data.level: must be one of debug, info, warning, error, critical',
    ],
    ['task.failed', { retryCount: -1 }, 'data.retryCount: must be >= 0'],
    ['task.completed', { tokensUsed: 1.5 }, 'data.tokensUsed: must be integer'],
    ['story_created', { title: '' }, 'data.title: must not have fewer than 1 characters'],
    ['story_deleted', { story_id: 7 }, 'data.story_id: must be string'],
  ] as const)('[EV3] %s with %j is refused', (type, wrong, problem) => {
    expect(problems({ type, data: { ...data[type], ...wrong } })).toEqual([problem]);
  });
});

test('[NP2] whatever is accepted can be put into an envelope and read back', () => {
  const type = fc.stringMatching(/^[A-Za-z0-9._:-]{1,64}$/);
  const inputs = fc.record(
    { type, data: fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()) },
    { noNullPrototype: true },
  );
  const position = { epoch: 'e', offset: 1 };
  fc.assert(
    fc.property(inputs, (input) => {
      const parsed = tryParseEvent(input);
      if (!parsed.ok) return;
      const { channel, json } = parsed.event;
      const { data } = JSON.parse(encodeEnvelope({ channel, position, json }));
      expect(data).toEqual(JSON.parse(JSON.stringify(input.data)));
      expect(json).not.toContain('\n');
    }),
    { numRuns: 1_000 },
  );
});

test('[EV1] any JSON is an event or a refusal, never a failure', () => {
  const values = fc.oneof(
    fc.jsonValue(),
    fc.jsonValue().map((data) => ({ type: 'task.created', data })),
    fc.jsonValue().map((channel) => ({ ...tick, channel })),
    fc.jsonValue().map((type) => ({ type, data: {} })),
  );
  fc.assert(
    fc.property(values, (value) => {
      const parsed = tryParseEvent(value);
      expect(parsed.ok || parsed.problems.length > 0).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test('[EV1] however many fields are unknown, the others are checked, and none is let through', () => {
  const unknown = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`k${n}`, n]));
  for (const more of [{}, { type: ['connected'] }, { data: 'text' }, { timestamp: 'yesterday' }]) {
    const parsed = tryParseEvent({ type: 'x', data: {}, ...unknown, ...more });
    expect(parsed.ok).toBe(false);
  }
});

test('[EV4] half a character is no id: two of them would become the same', () => {
  for (const field of ['message_id', 'idempotency_key']) {
    const parsed = tryParseEvent({ type: 'x', data: {}, [field]: 'k\ud800' });
    expect(parsed).toMatchObject({ ok: false, problems: [{ field }] });
  }
});

test('[EV1] a trace context travels in the event, and can be replaced by that of a span', () => {
  const traceOf = (last: string) => `00-${'a'.repeat(32)}-${'b'.repeat(16)}-${last}`;
  const given = { type: 'x', data: { traceparent: 'theirs' }, traceparent: traceOf('01') };
  const parsed = tryParseEvent(given);
  const bare = tryParseEvent({ type: 'x', data: {} });
  if (!parsed.ok || !bare.ok) throw new Error('both are right');
  expect(JSON.parse(parsed.event.json)).toMatchObject({ traceparent: traceOf('01') });
  for (const { event } of [parsed, bare]) {
    const traced = withTraceparent(event, traceOf('00'));
    expect(traced.traceparent).toBe(traceOf('00'));
    expect(JSON.parse(traced.json)).toEqual({
      ...JSON.parse(event.json),
      traceparent: traceOf('00'),
    });
  }
  for (const wrong of ['', '01', traceOf('0'), traceOf('01').toUpperCase(), `0${traceOf('01')}`]) {
    const refused = tryParseEvent({ ...given, traceparent: wrong });
    expect(refused).toMatchObject({ ok: false, problems: [{ field: 'traceparent' }] });
  }
});
