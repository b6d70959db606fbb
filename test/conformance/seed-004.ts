import { randomUUID } from 'node:crypto';
import {
  CLIENTS,
  type ClientVersion,
  publish,
  SocketClient,
  type SocketOptions,
  type StartSystem,
  type System,
  type Transport,
  tokenFor,
} from '@leque/lab';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeExamples, describeServerLogs } from './seed-004-examples.ts';
import { describeRefusals } from './seed-004-refusals.ts';
import { type Setting, settingOf } from './seed-004-setting.ts';
import { describeTaskEvents } from './seed-004-task-events.ts';

const VERSIONS = Object.keys(CLIENTS) as ClientVersion[];
const TRANSPORTS: readonly Transport[] = ['websocket', 'polling'];
/** An RFC 3339 time in UTC, as the document shows it. */
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
/** Counts are those of the cluster within a second; twice that allows for a busy machine. */
const SOON = { timeout: 2000, interval: 25 };

/** Every event and example of the Socket.IO document, in its own words. */
export function describeSeed004(name: string, startSystem: StartSystem): void {
  describe(`seed 004 (${name})`, () => {
    let system: System;
    beforeAll(async () => {
      system = await startSystem({
        CORS_ORIGIN: 'http://localhost:3000,https://yourdomain.com',
        EVENT_SCHEMAS: 'strict',
      });
    });
    afterAll(() => system?.[Symbol.asyncDispose]());

    for (const client of VERSIONS) {
      for (const transport of TRANSPORTS) {
        describe(`socket.io-client ${client}, ${transport}`, () => {
          const setting = settingOf(() => system, { client, transport });
          describeAuthentication(setting);
          describeConnectionEvents(setting);
          describeTaskEvents(setting);
          describeClientEvents(setting);
          describeOrigins(setting);
        });
      }
    }
    describeExamples(() => system);
    describeRefusals(startSystem, () => system);
    describeServerLogs(startSystem);
  });
}

function describeAuthentication({ system, options }: Setting): void {
  const connect = (more: SocketOptions) =>
    SocketClient.connect(system().node.url, { ...options, ...more });

  describe('Autenticação', () => {
    test('Via Authorization Header', async () => {
      const headers = { Authorization: `Bearer ${tokenFor('user-header')}` };
      await using client = await connect({ headers });
      expect(await client.first('connected')).toMatchObject({ userId: 'user-header' });
    });

    test('Via Query Parameter: `auth: { token }`, as the example writes it', async () => {
      await using client = await connect({ token: tokenFor('user-auth') });
      expect(await client.first('connected')).toMatchObject({ userId: 'user-auth' });
    });

    test('Via Query Parameter: `?token=`', async () => {
      await using client = await connect({ query: { token: tokenFor('user-query') } });
      expect(await client.first('connected')).toMatchObject({ userId: 'user-query' });
    });

    test('a user in the claim `userId` counts as well as one in `sub`', async () => {
      const token = tokenFor('ignored', { sub: undefined, userId: 'user-claim' });
      await using client = await connect({ token });
      expect(await client.first('connected')).toMatchObject({ userId: 'user-claim' });
    });
  });

  describe('Namespace', () => {
    test("Correto: `io('http://localhost:3000/events')` is in the namespace `/events`", async () => {
      await using client = await connect({ token: tokenFor('user-right'), namespace: '/events' });
      // The client's own field: the namespace that the server has confirmed.
      expect((client.socket as unknown as { nsp: string }).nsp).toBe('/events');
      expect(await client.first('connected')).toMatchObject({ userId: 'user-right' });
    });

    test("Incorreto: `io('http://localhost:3000')` is refused with a hint to `/events`", async () => {
      const error = await SocketClient.refusal(system().node.url, {
        ...options,
        token: tokenFor('user-root'),
        namespace: '',
      });
      expect(error.message).toContain('/events');
    });
  });
}

function describeConnectionEvents({ system, connect, options }: Setting): void {
  describe('Eventos Recebidos pelo Cliente', () => {
    test('`connected` — Confirmação de conexão bem-sucedida [IO2]', async () => {
      await using client = await connect('user-uuid');
      expect(client.events[0]?.name).toBe('connected');
      expect(await client.first('connected')).toMatchObject({
        clientId: client.socket.id,
        userId: 'user-uuid',
        timestamp: TIME,
        message: 'Successfully connected to real-time events',
      });
    });

    test('`connections.count` — Número de conexões ativas do usuário, over two nodes and two tabs [CNT]', async () => {
      const user = `user-count-${options.client}-${options.transport}`;
      const counts = (client: SocketClient) => client.all('connections.count').at(-1);
      await using tab = await connect(user);
      await expect.poll(() => counts(tab), SOON).toEqual({ count: 1 });
      await using otherTab = await connect(user);
      await expect
        .poll(() => [tab, otherTab].map(counts), SOON)
        .toEqual([{ count: 2 }, { count: 2 }]);
      await using phone = await SocketClient.connect(system().otherNode.url, {
        ...options,
        token: tokenFor(user),
      });
      await using stranger = await connect(`${user}-other`);
      await expect
        .poll(() => [tab, otherTab, phone].map(counts), SOON)
        .toEqual([{ count: 3 }, { count: 3 }, { count: 3 }]);
      await expect.poll(() => counts(stranger), SOON).toEqual({ count: 1 });
      otherTab.socket.disconnect();
      await expect.poll(() => [tab, phone].map(counts), SOON).toEqual([{ count: 2 }, { count: 2 }]);
      phone.socket.disconnect();
      await expect.poll(() => counts(tab), SOON).toEqual({ count: 1 });
    });
  });
}

function describeClientEvents({ system, connect }: Setting): void {
  describe('Eventos Enviados pelo Cliente', () => {
    test('`ping` — Verificar conectividade: `pong` echoes the message [IO4]', async () => {
      await using client = await connect('user-ping');
      client.socket.emit('ping', { message: 'Hello', attempt: 2 });
      expect(await client.first('pong')).toMatchObject({
        timestamp: TIME,
        clientId: client.socket.id,
        message: 'Hello',
        attempt: 2,
      });
    });

    test('`subscribe.tasks` — `subscribed.tasks` confirms it', async () => {
      await using client = await connect('user-sub');
      client.socket.emit('subscribe.tasks');
      expect(await client.first('subscribed.tasks')).toMatchObject({
        userId: 'user-sub',
        timestamp: TIME,
        message: expect.stringMatching(/^Successfully subscribed/),
      });
    });

    test('`unsubscribe.tasks` — `unsubscribed.tasks` confirms it, and both take effect', async () => {
      const projectId = `PROJ-${randomUUID()}`;
      const token = tokenFor('user-unsub', { projects: [projectId] });
      await using client = await connect('user-unsub', { token });
      client.socket.emit('subscribe.project', { project_id: projectId });
      await client.first('subscribed.project');
      const task = (taskId: string) =>
        publish(system(), {
          type: 'task.processing',
          user_id: 'user-unsub',
          data: { taskId, userId: 'user-unsub', agentId: 'agent-uuid' },
        });
      client.socket.emit('unsubscribe.tasks');
      expect(await client.first('unsubscribed.tasks')).toMatchObject({ userId: 'user-unsub' });
      await task('while-unsubscribed');
      // Its node gets this one after the task, whichever channel either is in.
      await publish(system(), { type: 'end', project_id: projectId, data: {} });
      await client.first('end');
      client.socket.emit('subscribe.tasks');
      await client.first('subscribed.tasks');
      await task('after');
      await client.first('task.event', ({ data }) => (data as Task).taskId === 'after');
      const seen = client.all('task.processing').map(({ data }) => (data as Task).taskId);
      expect(seen).toEqual(['after']);
    });

    test('`subscribe.project` and `unsubscribe.project` bring project events, and end them', async () => {
      // Its own, so that no node has its channel still, with what is on its way to there.
      const projectId = `PROJ-${randomUUID()}`;
      const token = tokenFor('user-project', { projects: [projectId] });
      await using client = await connect('user-project', { token });
      const story = (title: string) =>
        publish(system(), {
          type: 'story_created',
          project_id: projectId,
          data: { story_id: 'STR-1', title, project_id: projectId },
        });
      await story('too early');
      client.socket.emit('subscribe.project', { project_id: projectId });
      expect(await client.first('subscribed.project')).toMatchObject({
        project_id: projectId,
        cursor: expect.any(String),
      });
      await story('in time');
      expect(await client.first('story_created')).toMatchObject({
        event: 'story_created',
        data: { title: 'in time' },
        project_id: projectId,
        cursor: expect.any(String),
      });
      client.socket.emit('unsubscribe.project', { project_id: projectId });
      await client.first('unsubscribed.project');
      await story('too late');
      // Its node gets this one after the story, whichever channel either is in.
      await publish(system(), { type: 'end', user_id: 'user-project', data: {} });
      await client.first('end');
      expect(client.all('story_created')).toHaveLength(1);
    });

    test('`subscribe.project` refuses a project outside the grants, and the socket stays [ISO]', async () => {
      const token = tokenFor('user-narrow', { projects: ['PROJ-IO'] });
      await using client = await connect('user-narrow', { token });
      const answer = await new Promise((resolve) => {
        client.socket.emit('subscribe.project', { project_id: 'NO' }, resolve);
      });
      expect(JSON.stringify(answer)).toContain('forbidden');
      client.socket.emit('ping', {});
      await client.first('pong');
      expect(client.all('subscribed.project')).toEqual([]);
    });
  });
}

interface Task {
  readonly taskId: string;
}

function describeOrigins({ system, connect, options }: Setting): void {
  describe('Variáveis de Ambiente', () => {
    test('`CORS_ORIGIN=http://localhost:3000,https://yourdomain.com` — both may connect', async () => {
      for (const origin of ['http://localhost:3000', 'https://yourdomain.com']) {
        await using _client = await connect('user-cors', { headers: { origin } });
      }
    });

    test('`CORS_ORIGIN` — another origin is refused, with a good token too', async () => {
      const error = await SocketClient.refusal(system().node.url, {
        ...options,
        token: tokenFor('user-cors'),
        headers: { origin: 'https://evil.example' },
      });
      // The official client's error for a handshake that was answered with 403.
      expect(error.message).toMatch(/^(websocket|xhr poll) error$/);
    });

    test('`CORS_ORIGIN` — browsers are told so, by the headers of the polling transport', async () => {
      const handshake = `${system().node.url}/socket.io/?EIO=4&transport=polling`;
      const ask = (origin: string) => fetch(handshake, { headers: { origin } });
      const allowed = await ask('https://yourdomain.com');
      expect(allowed.status).toBe(200);
      expect(allowed.headers.get('access-control-allow-origin')).toBe('https://yourdomain.com');
      const refused = await ask('https://evil.example');
      expect(refused.status).toBe(403);
      expect(refused.headers.get('access-control-allow-origin')).toBeNull();
      await Promise.all([allowed, refused].map((response) => response.body?.cancel()));
    });
  });
}
