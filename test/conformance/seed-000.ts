import { publish, RawClient, type StartSystem, type System, tokenFor, wsUrl } from '@leque/lab';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SeedPage, seedText } from '../support/seed-page.ts';
import { describeClient } from './seed-000-client.ts';
import { describeConfiguration } from './seed-000-configuration.ts';
import { describeEvents } from './seed-000-events.ts';
import { describeRest } from './seed-000-rest.ts';

/** Every row and example of the raw WebSocket document, in its own words. */
export function describeSeed000(name: string, startSystem: StartSystem): void {
  describe(`seed 000 (${name})`, () => {
    let system: System;
    beforeAll(async () => {
      system = await startSystem({ WEBSOCKET_HEARTBEAT_INTERVAL: '0.5', EVENT_SCHEMAS: 'strict' });
    });
    afterAll(() => system?.[Symbol.asyncDispose]());

    describeEndpoints(() => system);
    describeConnectionEvents(() => system);
    describeMessageStructure(() => system);
    describeCommands(() => system);
    describeTroubleshooting(() => system);
    describeEvents(() => system);
    describeRest(startSystem, () => system);
    describeClient(startSystem);
    describeConfiguration(startSystem, () => system);
  });
}

function connect(system: System, path: string): Promise<RawClient> {
  return RawClient.connect(wsUrl(system.node.url, path));
}

function describeEndpoints(system: () => System): void {
  describe('Endpoints WebSocket', () => {
    test('`/ws/notifications` — Endpoint principal, with the example as it stands', async () => {
      await using page = new SeedPage(system().node.url);
      const [connecting = '', commands = ''] =
        seedText('seed-000-notifications').split('// Heartbeat');
      page.run(connecting);
      await page.said('Evento:', 'connection');
      page.run(commands);
      await page.said('Evento:', 'pong');
      await page.said('Evento:', 'subscribed');
      await publish(system(), { ...story('PROJ-001'), message_id: 'endpoint-1' });
      const [, , data] = await page.said('Evento:', 'story_created');
      expect(data).toEqual(story('PROJ-001').data);
    });

    test('`/ws/project/{project_id}` — Recebe apenas eventos do PROJ-001', async () => {
      await using page = new SeedPage(system().node.url);
      page.run(seedText('seed-000-project'));
      const isEvent = (type: string) => (line: readonly unknown[]) =>
        (line[1] as { type: string }).type === type;
      await page.console.first(isEvent('connection'));
      await publish(system(), story('PROJ-002'));
      await publish(system(), { type: 'notification', data: { title: 'a', message: 'b' } });
      await publish(system(), story('PROJ-001'));
      const [label, event] = await page.console.first(isEvent('story_created'));
      expect(label).toBe('Evento do projeto:');
      expect(event).toMatchObject({ project_id: 'PROJ-001', data: story('PROJ-001').data });
      expect(page.console.items.filter(isEvent('notification'))).toEqual([]);
      expect(page.console.items.filter(isEvent('story_created'))).toHaveLength(1);
    });

    test('`/ws/logs` — streaming de logs, with the example as it stands', async () => {
      await using page = new SeedPage(system().node.url);
      page.run(`${seedText('seed-000-logs')}\nconst opened = new Promise((done) => {
        ws.addEventListener('message', done, { once: true });
      });`);
      await page.run('opened');
      await publish(system(), log('debug', 'Detalhe'));
      await publish(system(), log('info', 'Build iniciado'));
      await page.said('[info] Build iniciado');
      expect(page.console.items).toEqual([['[info] Build iniciado']]);
    });

    test('`/ws/logs?level=` delivers its level and above, and all without one', async () => {
      const levels = ['debug', 'info', 'warning', 'error', 'critical'];
      await using stack = new AsyncDisposableStack();
      const everything = stack.use(await connect(system(), '/ws/logs'));
      const clients = await Promise.all(
        levels.map((level) => connect(system(), `/ws/logs?level=${level}`)),
      );
      for (const client of clients) stack.use(client);
      for (const level of levels) await publish(system(), log(level, 'threshold'));
      const heard = (client: RawClient) =>
        client
          .all('log_message')
          .filter(({ data }) => data['message'] === 'threshold')
          .map(({ data }) => data['level']);
      for (const client of [everything, ...clients]) {
        await client.first(({ data }) => data['level'] === 'critical');
      }
      expect(heard(everything)).toEqual(levels);
      expect(clients.map(heard)).toEqual(levels.map((_, index) => levels.slice(index)));
    });
  });
}

function describeConnectionEvents(system: () => System): void {
  describe('Eventos de Conexao', () => {
    test('`connection` — Conexao estabelecida, first of all, at each endpoint [WS2]', async () => {
      for (const path of ['/ws/notifications', '/ws/project/PROJ-001', '/ws/logs']) {
        await using client = await connect(system(), path);
        expect(client.events[0]).toMatchObject({
          type: 'connection',
          data: { status: 'connected', client_id: expect.any(String), message: expect.any(String) },
          timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
          message_id: expect.any(String),
        });
      }
    });

    test('`heartbeat` — Ping de manutencao do servidor [WS7]', async () => {
      await using client = await connect(system(), '/ws/notifications');
      const pinged = new Promise((resolve) => client.socket.once('ping', resolve));
      const beat = await client.first('heartbeat');
      expect(beat.timestamp).toEqual(expect.any(String));
      await pinged;
    });

    test('`ping` — Ping enviado pelo cliente, as bare text and as JSON', async () => {
      await using client = await connect(system(), '/ws/notifications');
      client.send('ping');
      await client.first('pong');
      client.send({ action: 'ping', id: 'json' });
      await client.first((event) => event.type === 'pong' && event.id === 'json');
      expect(client.all('error')).toEqual([]);
    });

    test('`pong` — Resposta ao ping, one for each', async () => {
      await using client = await connect(system(), '/ws/project/PROJ-001');
      client.send('ping');
      client.send('ping');
      const pong = await client.ask({ action: 'ping' });
      expect(pong).toMatchObject({ type: 'pong', data: {}, message_id: expect.any(String) });
      expect(client.all('pong')).toHaveLength(3);
    });

    test('`subscribed` — Inscrito em grupo de projeto', async () => {
      await using client = await connect(system(), '/ws/notifications');
      expect(await client.subscribe('PROJ-001')).toMatchObject({
        type: 'subscribed',
        data: { project_id: 'PROJ-001', message: expect.any(String), cursor: expect.any(String) },
      });
    });

    test('`unsubscribed` — Removido de grupo de projeto', async () => {
      await using client = await connect(system(), '/ws/notifications');
      await client.subscribe('PROJ-001');
      const answer = await client.ask({ action: 'unsubscribe', project_id: 'PROJ-001' });
      expect(answer).toMatchObject({ type: 'unsubscribed', data: { project_id: 'PROJ-001' } });
    });
  });
}

function describeMessageStructure(system: () => System): void {
  describe('Estrutura de Mensagem', () => {
    test('the example arrives field by field, with its channel and cursor', async () => {
      const example = {
        ...story('PROJ-001'),
        timestamp: '2025-01-15T10:30:00Z',
        message_id: 'abc123',
        story_id: 'STR-0001',
      };
      await using client = await connect(system(), '/ws/project/PROJ-001');
      const { cursor } = await publish(system(), example);
      const event = await client.first(({ message_id }) => message_id === 'abc123');
      expect(event).toEqual({ ...example, channel: 'project:PROJ-001', cursor });
    });

    test('ids that only `data` has are repeated in the message, as in the example', async () => {
      await using client = await connect(system(), '/ws/project/PROJ-001');
      const { project_id, ...event } = story('PROJ-001');
      await publish(system(), { ...event, channel: 'project:PROJ-001' });
      expect(await client.first('story_created')).toMatchObject({
        project_id,
        story_id: 'STR-0001',
      });
    });

    test('an event without `timestamp` and `message_id` is given both', async () => {
      await using client = await connect(system(), '/ws/project/PROJ-filled');
      const before = Date.now() - 5; // the clocks of two processes
      const { message_id } = await publish(system(), story('PROJ-filled'));
      const event = await client.first('story_created');
      expect(event.message_id).toBe(message_id);
      expect(event.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
      expect(Date.parse(event.timestamp)).toBeGreaterThanOrEqual(before);
    });
  });
}

function describeCommands(system: () => System): void {
  describe('Comandos do Cliente', () => {
    test('Inscrever em Projeto: its events begin to arrive', async () => {
      await using client = await connect(system(), '/ws/notifications');
      await client.subscribe('PROJ-in');
      await publish(system(), story('PROJ-in'));
      expect(await client.first('story_created')).toMatchObject({ project_id: 'PROJ-in' });
    });

    test('Cancelar Inscricao: its events stop, others go on', async () => {
      await using client = await connect(system(), '/ws/notifications');
      await client.subscribe('PROJ-left');
      await client.subscribe('PROJ-kept');
      await client.ask({ action: 'unsubscribe', project_id: 'PROJ-left' });
      await publish(system(), story('PROJ-left'));
      await publish(system(), story('PROJ-kept'));
      await client.first(({ project_id }) => project_id === 'PROJ-kept');
      expect(client.all('story_created').map(({ project_id }) => project_id)).toEqual([
        'PROJ-kept',
      ]);
    });

    test('Obter Estatisticas: the fields of `GET /api/ws/stats`', async () => {
      await using client = await connect(system(), '/ws/notifications');
      const { type, data } = await client.ask({ action: 'stats' });
      expect(type).toBe('stats');
      expect(data).toEqual({
        active_connections: expect.any(Number),
        active_projects: expect.any(Number),
        total_connections: expect.any(Number),
        total_messages_sent: expect.any(Number),
        total_broadcasts: expect.any(Number),
        connections_per_project: expect.any(Object),
      });
    });

    test('a command under the key `type` works as well, and its `id` comes back', async () => {
      await using client = await connect(system(), '/ws/notifications');
      client.send({ type: 'subscribe', project_id: 'PROJ-typed', id: 7 });
      const answer = await client.first('subscribed');
      expect(answer).toMatchObject({ id: 7, data: { project_id: 'PROJ-typed' } });
    });
  });
}

function describeTroubleshooting(system: () => System): void {
  describe('Troubleshooting', () => {
    test('before it selects projects, a session gets the events of all that it may see', async () => {
      await using client = await connect(system(), '/ws/notifications');
      await publish(system(), story('PROJ-any'));
      expect(await client.first('story_created')).toMatchObject({ project_id: 'PROJ-any' });
    });

    test('with a token for some projects: all of them, then those that it has selected', async () => {
      const projects = ['PROJ-A', 'PROJ-B', 'PROJ-C'];
      const token = tokenFor('ana', { projects });
      const url = wsUrl(system().node.url, '/ws/notifications');
      await using client = await RawClient.connect(url, { token });
      const round = async (number: number) => {
        for (const project of [...projects, 'PROJ-ungranted']) {
          await publish(system(), { ...story(project), message_id: `${number} ${project}` });
        }
        const end = { type: 'end', user_id: 'ana', data: { number } };
        await publish(system(), end);
        await client.first(({ type, data }) => type === 'end' && data['number'] === number);
        const ids = client.all('story_created').map(({ message_id }) => message_id);
        return ids.filter((id) => id.startsWith(`${number} `)).map((id) => id.slice(2));
      };
      expect(await round(1)).toEqual(projects);
      await client.subscribe('PROJ-A');
      await client.subscribe('PROJ-B');
      expect(await round(2)).toEqual(['PROJ-A', 'PROJ-B']);
      await client.ask({ action: 'auth', token });
      await client.ask({ action: 'unsubscribe', project_id: 'PROJ-A' });
      expect(await round(3)).toEqual(['PROJ-B']);
      await client.ask({ action: 'unsubscribe', project_id: 'PROJ-B' });
      expect(await round(4)).toEqual([]);
    });

    test('Verifique se esta inscrito no projeto correto: a project event does not reach a session that has selected other projects', async () => {
      await using client = await connect(system(), '/ws/notifications');
      await client.subscribe('PROJ-mine');
      await publish(system(), story('PROJ-theirs'));
      await publish(system(), story('PROJ-mine'));
      await client.first(({ project_id }) => project_id === 'PROJ-mine');
      await client.ask({ action: 'unsubscribe', project_id: 'PROJ-mine' });
      await publish(system(), story('PROJ-theirs'));
      await publish(system(), { type: 'notification', data: { title: 'all', message: 'still' } });
      await client.first('notification');
      expect(client.all('story_created').map(({ project_id }) => project_id)).toEqual([
        'PROJ-mine',
      ]);
    });
  });
}

function story(projectId: string) {
  const data = { story_id: 'STR-0001', title: 'Implementar login', project_id: projectId };
  return { type: 'story_created', data, project_id: projectId };
}

function log(level: string, message: string) {
  return { type: 'log_message', data: { level, message, source: 'CI/CD' } };
}
