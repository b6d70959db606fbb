import { describe, expect, test } from 'vitest';
import { accepted, problems } from '../../test/support/parsed-event.ts';
import { EVENT_ADDRESSES } from './addressing.ts';
import { EVENT_DATA, repeatedAs, userTypeOf } from './event-types.ts';

describe('the data of a known type', () => {
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

  test.each(types)('[EV3.1] %s keeps fields that its schema does not name', (type) => {
    const more = { ...data[type], more: { of: ['it'] } };
    expect(accepted({ type, data: more }).sent.data).toEqual(more);
  });

  test.each(types)('[EV3] %s without its required fields is refused, field by field', (type) => {
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
    [
      'story_deleted',
      { story_id: 7.5 },
      'data.story_id: must be a text of 1 to 256 characters, or a whole number',
    ],
  ] as const)('[EV3] %s with %j is refused', (type, wrong, problem) => {
    expect(problems({ type, data: { ...data[type], ...wrong } })).toEqual([problem]);
  });
});

test.each([
  ['task.created', 'task.*'],
  ['task.archived.by.hand', 'task.*'],
  ['task_created', undefined],
  ['tasks.created', undefined],
  ['a.task.created', undefined],
  ['*', undefined],
])('[RT.3] the type %s is for one user because of %s', (type, userType) => {
  expect(userTypeOf(type)).toBe(userType);
});

test('[RT.3] the schema of each type for one user names that user', () => {
  const types = Object.keys(EVENT_DATA).filter(userTypeOf);
  expect(types).toContain('task.created');
  for (const type of types) {
    const ids = EVENT_ADDRESSES.get(type)?.map(({ id }) => id);
    expect(ids, type).toContain('user_id');
  }
});

test('[IO3] the types of the earlier Socket.IO system are emitted a second time', () => {
  const repeated = Object.keys(EVENT_DATA).filter((type) => repeatedAs(type) === 'task.event');
  expect(repeated).toEqual(Object.keys(EVENT_DATA).filter((type) => type.startsWith('task.')));
  expect(repeatedAs('task_created')).toBeUndefined();
});

test('docs/event-types.md lists every known type with its fields; `npm test -- -u` rewrites it', async () => {
  await expect(eventTypesPage()).toMatchFileSnapshot('../../../../docs/event-types.md');
});

interface Field {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly description?: string;
  readonly [limit: string]: unknown;
}

function eventTypesPage(): string {
  const rows = Object.entries(EVENT_DATA).map(([type, { properties, required }]) => {
    const needed = new Set<string>(required);
    const fields = Object.entries<Field>(properties as object as Record<string, Field>);
    const list = (wanted: boolean) =>
      fields
        .filter(([name]) => needed.has(name) === wanted)
        .map(([name, field]) => `\`${name}\`${kindOf(field)}`)
        .join(', ');
    const addresses = (EVENT_ADDRESSES.get(type) ?? []).map(({ name }) => `\`${name}\``);
    const audience = userTypeOf(type) === undefined ? 'anybody' : 'one user';
    return `| \`${type}\` | ${list(true)} | ${list(false)} | ${addresses.join(', ')} | ${audience} |`;
  });
  return `${INTRODUCTION}\n${rows.join('\n')}\n`;
}

/** The type of a field's value, in parentheses; empty for a text. */
function kindOf({ type, enum: values, description, minimum, maximum }: Field): string {
  if (values !== undefined) return ` (${values.join(', ')})`;
  if (type !== 'number' && type !== 'integer')
    return /(?<!whole )number/.test(description ?? '') ? ` (${description})` : '';
  if (minimum === undefined) return ` (${type})`;
  return maximum === undefined
    ? ` (${type} from ${minimum})`
    : ` (${type}, ${minimum} to ${maximum})`;
}

const INTRODUCTION = `# Event types

This page lists the event types that Leque knows, and the fields of their \`data\`. A test writes the table from [event-types.ts](../packages/protocol/src/events/event-types.ts). When a required field is missing or wrong, the answer of the publish has warnings, or the event is refused, as \`EVENT_SCHEMAS\` says ([EV3](../packages/protocol/PROTOCOL.md#events)); other fields pass through. Events of any other type pass with any \`data\`. Fields without a note are texts; ids (\`…_id\`, \`…Id\`) may be whole numbers as well.

An address is a field of \`data\` that names the recipient when the event itself names no channel, user or project. The first address counts. Events for one user never go to \`all\` or \`logs\` ([the rules](../packages/protocol/PROTOCOL.md#ids-channels-positions)).

| type | required | optional | addresses | for |
| --- | --- | --- | --- | --- |`;
