import { describe, expect, test } from 'vitest';
import { accepted, problems } from '../../test/support/parsed-event.ts';
import { EVENT_DATA } from './event-types.ts';

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
    ['story_deleted', { story_id: 7 }, 'data.story_id: must be string'],
  ] as const)('[EV3] %s with %j is refused', (type, wrong, problem) => {
    expect(problems({ type, data: { ...data[type], ...wrong } })).toEqual([problem]);
  });
});
