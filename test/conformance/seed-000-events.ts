import { post, publish, RawClient, type System, wsUrl } from '@leque/lab';
import { describe, expect, test } from 'vitest';

interface Row {
  readonly type: string;
  readonly description: string;
  /** Everything that the row names. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The fields that are required. */
  readonly required: readonly string[];
}

const story = { story_id: 'STR-0001' };
const titled = { title: 'Implementar login' };
const task = { task_id: 'STSK-0001' };
const job = { job_id: 'JOB-0001' };

const ROWS: Readonly<Record<string, readonly Row[]>> = {
  'Eventos de Story': [
    {
      type: 'story_created',
      description: 'Nova story criada',
      data: { ...story, ...titled, project_id: 'PROJ-001' },
      required: ['story_id', 'title', 'project_id'],
    },
    {
      type: 'story_updated',
      description: 'Story atualizada',
      data: { ...story, ...titled },
      required: ['story_id'],
    },
    {
      type: 'story_moved',
      description: 'Story movida no Kanban',
      data: { ...story, ...titled, to: 'done' },
      required: ['story_id', 'to'],
    },
    {
      type: 'story_deleted',
      description: 'Story removida',
      data: story,
      required: ['story_id'],
    },
  ],
  'Eventos de Task': [
    {
      type: 'task_created',
      description: 'Nova task criada',
      data: { ...task, ...titled, ...story },
      required: ['task_id', 'title', 'story_id'],
    },
    {
      type: 'task_updated',
      description: 'Task atualizada',
      data: { ...task, ...titled, progress: 40 },
      required: ['task_id'],
    },
    {
      type: 'task_completed',
      description: 'Task concluida',
      data: { ...task, ...titled, ...story },
      required: ['task_id', 'story_id'],
    },
    { type: 'task_deleted', description: 'Task removida', data: task, required: ['task_id'] },
  ],
  'Eventos de Chat': [
    {
      type: 'chat_message',
      description: 'Nova mensagem',
      data: { preview: 'Bom dia', project_id: 'PROJ-001', ...story },
      required: ['preview', 'project_id', 'story_id'],
    },
  ],
  'Eventos de Job/Worker': [
    {
      type: 'job_started',
      description: 'Job iniciado',
      data: { ...job, status: 'running' },
      required: ['job_id'],
    },
    {
      type: 'job_progress',
      description: 'Progresso do job',
      data: { ...job, progress: 50, status: 'running', output: 'compilando' },
      required: ['job_id', 'progress'],
    },
    {
      type: 'job_completed',
      description: 'Job concluido',
      data: { ...job, status: 'completed' },
      required: ['job_id'],
    },
    {
      type: 'job_failed',
      description: 'Job falhou',
      data: { ...job, status: 'failed', error: 'sem memoria' },
      required: ['job_id', 'error'],
    },
  ],
  'Eventos de Sistema': [
    {
      type: 'notification',
      description: 'Notificacao generica',
      data: { title: 'Aviso', message: 'Manutencao em 5 minutos', level: 'warning' },
      required: ['title', 'message'],
    },
    {
      type: 'error',
      description: 'Erro no sistema',
      data: { message: 'Fila parada', code: 'QUEUE_STALLED' },
      required: ['message'],
    },
    {
      type: 'log_message',
      description: 'Mensagem de log',
      data: { level: 'info', message: 'Build iniciado', source: 'CI/CD' },
      required: ['level', 'message'],
    },
  ],
};

/** One test per row of the tables under "Tipos de Eventos". */
export function describeEvents(system: () => System): void {
  for (const [table, rows] of Object.entries(ROWS)) {
    describe(table, () => {
      for (const row of rows) {
        const fields = Object.keys(row.data).map((field) => `\`${field}\``);
        test(`\`${row.type}\` — ${row.description}: ${fields.join(', ')}`, async () => {
          await deliversRow(system(), row);
          await validatesRow(system(), row);
        });
      }
    });
  }

  test('an unknown type of event passes with whatever data it has', async () => {
    const event = { type: 'deploy.finished:v2', data: { nested: { deep: [1, 'two', null] } } };
    await using client = await RawClient.connect(wsUrl(system().node.url, '/ws/notifications'));
    await publish(system(), event);
    expect(await client.first(event.type)).toMatchObject(event);
  });
}

/** At the endpoint for its kind, and at the one for its project where that is another. */
async function deliversRow(system: System, { type, data }: Row): Promise<void> {
  const projectId = data['project_id'] === undefined ? `PROJ-${type}` : String(data['project_id']);
  const isLog = type === 'log_message';
  const path = isLog ? '/ws/logs' : '/ws/notifications';
  await using client = await RawClient.connect(wsUrl(system.node.url, path));
  await using watcher = await RawClient.connect(
    wsUrl(system.node.url, isLog ? '/ws/logs?level=info' : `/ws/project/${projectId}`),
  );
  const extra = { comment: 'campos extras passam' };
  const routing = isLog ? {} : { project_id: projectId };
  const event = { type, ...routing, data: { ...data, ...extra } };
  const { message_id } = await publish(system, event);
  for (const each of [client, watcher]) {
    const received = await each.first((candidate) => candidate.message_id === message_id);
    expect(received).toMatchObject({ ...event, timestamp: expect.any(String) });
  }
}

/** Without a field that it needs and that is nowhere else, it is refused by name and nobody gets it. */
async function validatesRow(system: System, { type, required, ...row }: Row): Promise<void> {
  const inProject = 'project_id' in row.data && { project_id: 'PROJ-checked' };
  const data: Row['data'] = { ...row.data, ...inProject };
  await using client = await RawClient.connect(wsUrl(system.node.url, '/ws/project/PROJ-checked'));
  let accepted = 1;
  for (const field of required) {
    const { [field]: _, ...rest } = data;
    const id = `without-${field}`;
    const event = { type, data: rest, project_id: 'PROJ-checked', message_id: id };
    const { status, headers, body } = await post(`${system.publisher.url}/api/publish`, {
      ...event,
      [field]: undefined,
    });
    expect({ field, status }).toEqual({ field, status: 400 });
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect(JSON.stringify(body)).toContain(`data.${field}`);
    if (!(field in event)) continue;
    await publish(system, event);
    const filledIn = await client.first(({ message_id }) => message_id === id);
    expect(filledIn).toMatchObject({ data: { ...rest, [field]: event.project_id } });
    accepted += 1;
  }
  const complete = { type, data, project_id: 'PROJ-checked', message_id: `complete-${type}` };
  await publish(system, complete);
  await client.first(({ message_id }) => message_id === complete.message_id);
  expect(client.all(type)).toHaveLength(accepted);
}
