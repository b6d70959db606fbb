import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { get, post, publish, RawClient, type StartSystem, type System, wsUrl } from '@leque/lab';
import { describe, expect, test } from 'vitest';
import { seedText } from '../support/seed-page.ts';

const run = promisify(execFile);
/** Counts are those of the cluster within a second; twice that allows for a busy machine. */
const SOON = { timeout: 2000, interval: 25 };

/** "API REST de WebSocket", asked where no client is connected. */
export function describeRest(startSystem: StartSystem, system: () => System): void {
  const api = (path: string) => `${system().publisher.url}/api/ws/${path}`;
  const connect = (path: string) => RawClient.connect(wsUrl(system().node.url, path));

  describe('API REST de WebSocket', () => {
    test('GET `/api/ws/stats` — estatisticas do WebSocket, field by field [CNT]', async () => {
      // A system of its own, so that its totals begin at zero.
      await using fresh = await startSystem();
      const stats = async () => (await get(`${fresh.publisher.url}/api/ws/stats`)).body;
      const counted = {
        active_connections: 4,
        active_projects: 2,
        total_connections: 4,
        total_messages_sent: 5, // four times `connection`, and `subscribed`
        total_broadcasts: 0,
        connections_per_project: { 'PROJ-S1': 3, 'PROJ-S2': 1 },
      };
      await using stack = new AsyncDisposableStack();
      const open = async (path: string) =>
        stack.use(await RawClient.connect(wsUrl(fresh.node.url, path)));
      for (const project of ['PROJ-S1', 'PROJ-S1', 'PROJ-S2']) await open(`/ws/project/${project}`);
      const visitor = await open('/ws/notifications');
      await visitor.subscribe('PROJ-S1');
      await expect.poll(stats, SOON).toEqual(counted);
      const event = { event_type: 'deploy', data: {}, project_id: 'PROJ-S1' };
      await post(`${fresh.publisher.url}/api/ws/broadcast`, event);
      await expect
        .poll(stats, SOON)
        .toEqual({ ...counted, total_messages_sent: 8, total_broadcasts: 1 });
      await stack.disposeAsync();
      await expect.poll(stats, SOON).toEqual({
        active_connections: 0,
        active_projects: 0,
        total_connections: 4,
        total_messages_sent: 8,
        total_broadcasts: 1,
        connections_per_project: {},
      });
    });

    test('GET `/api/ws/connections` — numero de conexoes ativas [CNT]', async () => {
      const answer = async () => (await get(api('connections'))).body;
      await expect.poll(answer, SOON).toEqual({ count: 0 });
      await using first = await connect('/ws/notifications');
      await using _second = await connect('/ws/logs');
      await expect.poll(answer, SOON).toEqual({ count: 2 });
      await first.close();
      await expect.poll(answer, SOON).toEqual({ count: 1 });
    });

    test('GET `/api/ws/project/{project_id}/subscribers` — inscritos em projeto [CNT]', async () => {
      const answer = async () => (await get(api('project/PROJ-N/subscribers'))).body;
      expect(await answer()).toEqual({ project_id: 'PROJ-N', subscribers: 0 });
      await using client = await connect('/ws/notifications');
      await using _watcher = await connect('/ws/project/PROJ-N');
      await client.subscribe('PROJ-N');
      await expect.poll(answer, SOON).toEqual({ project_id: 'PROJ-N', subscribers: 2 });
      await client.ask({ action: 'unsubscribe', project_id: 'PROJ-N' });
      await expect.poll(answer, SOON).toEqual({ project_id: 'PROJ-N', subscribers: 1 });
    });

    test('POST `/api/ws/broadcast` — the `curl` example as it stands, with `project_id`', async () => {
      await using member = await connect('/ws/project/PROJ-001');
      await using stranger = await connect('/ws/project/PROJ-002');
      await expect
        .poll(async () => (await get(api('project/PROJ-001/subscribers'))).body, SOON)
        .toMatchObject({ subscribers: 1 });
      const answer = await curl(seedText('seed-000-broadcast'), system());
      expect(answer).toMatchObject({
        sent_to: expect.any(Number),
        message_id: expect.any(String),
        cursor: expect.any(String),
      });
      expect(answer['sent_to']).toBeGreaterThanOrEqual(1);
      expect(await member.first('notification')).toMatchObject({
        data: { title: 'Aviso', message: 'Manutencao em 5 minutos' },
        project_id: 'PROJ-001',
        message_id: answer['message_id'],
        cursor: answer['cursor'],
      });
      await publish(system(), { type: 'done', data: {}, project_id: 'PROJ-002' });
      await stranger.first('done');
      expect(stranger.all('notification')).toEqual([]);
    });

    test('POST `/api/ws/broadcast` — without `project_id` it is for everyone', async () => {
      await using one = await connect('/ws/notifications');
      await using other = await connect('/ws/notifications');
      await other.subscribe('PROJ-elsewhere');
      await using watcher = await connect('/ws/project/PROJ-001');
      await expect
        .poll(async () => (await get(api('connections'))).body, SOON)
        .toEqual({
          count: 3,
        });
      const example = seedText('seed-000-broadcast').replace(/,\s*"project_id": "PROJ-001"/, '');
      expect(example).not.toContain('project_id');
      const answer = await curl(example, system());
      expect(answer).toMatchObject({ sent_to: 2, message_id: expect.any(String) });
      for (const client of [one, other]) {
        expect(await client.first('notification')).toMatchObject({ channel: 'all' });
      }
      await publish(system(), { type: 'done', data: {}, project_id: 'PROJ-001' });
      await watcher.first('done');
      expect(watcher.all('notification')).toEqual([]);
    });

    const number = expect.any(Number);
    const answers = {
      stats: {
        active_connections: number,
        active_projects: number,
        total_connections: number,
        total_messages_sent: number,
        total_broadcasts: number,
        connections_per_project: expect.any(Object),
      },
      connections: { count: number },
      'project/PROJ-001/subscribers': { project_id: 'PROJ-001', subscribers: number },
    };
    for (const [path, answer] of Object.entries(answers)) {
      test(`\`curl http://localhost:9001/api/ws/${path}\` answers JSON`, async () => {
        const command = `curl http://localhost:9001/api/ws/${path}`;
        expect(await curl(command, system())).toEqual(answer);
      });
    }
  });
}

/** Runs the command as a shell would; where there is no curl, sends what it would send. */
async function curl(command: string, system: System): Promise<Record<string, unknown>> {
  const here = command.replace('http://localhost:9001', system.publisher.url);
  try {
    const { stdout } = await run('sh', ['-c', here.replace(/^curl/, 'curl --silent --show-error')]);
    return JSON.parse(stdout);
  } catch (error) {
    if ((error as { code?: number }).code !== 127) throw error;
  }
  const url = /http:\S+/.exec(here)?.[0] ?? '';
  const body = /-d '(.*)'/s.exec(here)?.[1];
  const { status, body: answer } = body === undefined ? await get(url) : await post(url, body);
  expect(status).toBe(200);
  return answer;
}
