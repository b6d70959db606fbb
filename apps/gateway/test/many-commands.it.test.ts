import { CLOSE } from '@leque/protocol';
import { io } from 'socket.io-client';
import { expect, test } from 'vitest';
import { type GatewayUnderTest, startGateway, tokenFor } from './support/gateway.ts';
import { RawClient } from './support/raw-client.ts';

const MANY = Array.from({ length: 500 }, (_, n) => `P${n}`);
const PATIENCE = { timeout: 10_000 };

const channelOf = (projectId: string) => `project:${projectId}`;

async function publishToEach(gateway: GatewayUnderTest, projects = MANY): Promise<void> {
  for (const project_id of projects) {
    await gateway.publish({ type: 'x', data: { project_id }, project_id });
  }
}

async function connectSocketIo({ url }: GatewayUnderTest, projects: string[]) {
  const socket = io(`${url}/events`, { auth: { token: await tokenFor('alice', { projects }) } });
  const heard: [string, Record<string, unknown>][] = [];
  socket.onAny((name: string, data: Record<string, unknown>) => heard.push([name, data]));
  return {
    socket,
    of: (type: string) => heard.filter(([name]) => name === type).map(([, data]) => data),
    [Symbol.dispose]: () => void socket.disconnect(),
  };
}

test('[WS8.1] a loop that subscribes to 500 projects one by one on connect is served, and each brings its events', async () => {
  await using gateway = await startGateway({ COMMAND_RATE: '500' });
  const token = await tokenFor('alice', { projects: MANY });
  using raw = new RawClient(gateway.url, '/ws/notifications', token);
  raw.socket.on('open', () => {
    for (const project_id of MANY) raw.say({ action: 'subscribe', project_id });
  });
  using socketIo = await connectSocketIo(gateway, MANY);
  socketIo.socket.on('connect', () => {
    for (const project_id of MANY) socketIo.socket.emit('subscribe.project', { project_id });
  });
  await expect.poll(() => raw.of('subscribed').length, PATIENCE).toBe(MANY.length);
  await expect.poll(() => socketIo.of('subscribed.project').length, PATIENCE).toBe(MANY.length);
  const ids = {
    raw: raw.of('subscribed').map(({ data }) => data['project_id']),
    socketIo: socketIo.of('subscribed.project').map((data) => data['project_id']),
  };
  expect(ids).toEqual({ raw: MANY, socketIo: MANY });
  await publishToEach(gateway);
  await expect.poll(() => raw.of('x').length, PATIENCE).toBe(MANY.length);
  await expect.poll(() => socketIo.of('x').length, PATIENCE).toBe(MANY.length);
  expect([...raw.of('error'), ...socketIo.of('error')]).toEqual([]);
});

test('[WS3.5] ping and auth are answered before commands that wait for their pace, which keep their order', async () => {
  await using gateway = await startGateway({ COMMAND_RATE: '50', COMMAND_BURST: '5' });
  const projects = MANY.slice(0, 40);
  const token = await tokenFor('alice', { projects });
  using raw = new RawClient(gateway.url, '/ws/notifications', token);
  using socketIo = await connectSocketIo(gateway, projects);
  await expect.poll(() => raw.of('connection').length + socketIo.of('connected').length).toBe(2);
  for (const project_id of projects) {
    raw.say({ action: 'subscribe', project_id });
    socketIo.socket.emit('subscribe.project', { project_id });
  }
  raw.say('ping');
  raw.say({ action: 'auth', token });
  socketIo.socket.emit('ping', {});
  socketIo.socket.emit('auth', { token });
  await expect.poll(() => raw.of('authenticated').length + socketIo.of('pong').length).toBe(2);
  await expect.poll(() => socketIo.of('authenticated')).toHaveLength(1);
  expect(raw.of('subscribed').length).toBeLessThan(projects.length);
  await expect.poll(() => raw.of('subscribed').length).toBe(projects.length);
  expect(raw.of('subscribed').map(({ data }) => data['project_id'])).toEqual(projects);
  expect(raw.of('pong')).toHaveLength(1);
});

test('[WS8.3] a flood of commands gets errors, and is then closed with 4029', async () => {
  await using gateway = await startGateway({ AUTH_MODE: 'open' });
  using client = new RawClient(gateway.url, '/ws/notifications');
  await expect.poll(() => client.of('connection')).toHaveLength(1);
  for (let index = 0; index < 1000; index += 1) client.say('ping');
  expect(await client.closed).toMatchObject({ code: CLOSE.tooManyCommands });
  expect(client.of('pong').length).toBeLessThan(200);
  expect(client.of('error')[0]?.data).toMatchObject({ code: 'rate_limited' });
});

test('[WS3.8] one command subscribes to many projects, and its answer tells what came of each', async () => {
  await using gateway = await startGateway();
  const token = await tokenFor('alice', { projects: MANY });
  using raw = new RawClient(gateway.url, '/ws/notifications', token);
  using socketIo = await connectSocketIo(gateway, MANY);
  await expect.poll(() => raw.of('connection').length + socketIo.of('connected').length).toBe(2);
  const projects = [...MANY.slice(1), 'FOREIGN'].map((project_id) => ({ project_id }));
  raw.say({ action: 'subscribe', id: 7, projects });
  socketIo.socket.emit('subscribe.projects', { projects });
  await expect.poll(() => raw.of('subscribed').length, PATIENCE).toBe(1);
  await expect.poll(() => socketIo.of('subscribed.projects').length, PATIENCE).toBe(1);
  expect(raw.of('subscribed')[0]).toMatchObject({
    id: 7,
    data: { message: 'Subscribed to 499 of 500 projects' },
  });
  for (const data of [raw.of('subscribed')[0]?.data, socketIo.of('subscribed.projects')[0]]) {
    const channels = data?.['channels'] as Record<string, object>;
    expect(Object.keys(channels)).toEqual(projects.map(({ project_id }) => channelOf(project_id)));
    expect(channels['project:P1']).toEqual({ cursor: expect.any(String) });
    expect(channels['project:FOREIGN']).toMatchObject({ recovered: false, code: 'forbidden' });
  }
  await publishToEach(gateway);
  await expect.poll(() => raw.of('x').length, PATIENCE).toBe(MANY.length - 1);
  await expect.poll(() => socketIo.of('x').length, PATIENCE).toBe(MANY.length - 1);
});

test('[WS3.8] [RE1] one command resumes some projects, and subscribes to others', async () => {
  await using gateway = await startGateway();
  const projects = ['A', 'B', 'C'];
  const token = await tokenFor('alice', { projects });
  using first = new RawClient(gateway.url, '/ws/notifications', token);
  await expect.poll(() => first.of('connection')).toHaveLength(1);
  await publishToEach(gateway, projects);
  await expect.poll(() => first.of('x')).toHaveLength(3);
  const since = first.of('x')[0]?.['cursor'] as string;
  await publishToEach(gateway, projects);

  using raw = new RawClient(gateway.url, '/ws/notifications?resume=1', token);
  using socketIo = await connectSocketIo(gateway, projects);
  await expect.poll(() => raw.of('connection').length + socketIo.of('connected').length).toBe(2);
  const named = [
    { project_id: 'A', since },
    { project_id: 'B', since: 'no cursor' },
    { project_id: 'C' },
  ];
  raw.say({ action: 'subscribe', projects: named });
  socketIo.socket.emit('subscribe.projects', { projects: named });
  const outcomes = {
    'project:A': { cursor: expect.any(String), recovered: true },
    'project:B': { cursor: expect.any(String), recovered: false },
    'project:C': { cursor: expect.any(String) },
  };
  await expect.poll(() => raw.of('subscribed')[0]?.data['channels']).toEqual(outcomes);
  await expect.poll(() => socketIo.of('subscribed.projects')[0]?.['channels']).toEqual(outcomes);
  await expect.poll(() => raw.of('x').map(({ data }) => data['project_id'])).toEqual(['A']);
  const types = ['connection', 'subscribed', 'x', 'caught_up'];
  await expect.poll(() => raw.messages.map(({ type }) => type)).toEqual(types);
  raw.say({ action: 'unsubscribe', projects: [{ project_id: 'A' }, { project_id: 'C' }] });
  await expect
    .poll(() => raw.of('unsubscribed')[0]?.data['channels'])
    .toEqual(['project:A', 'project:C']);
  await publishToEach(gateway, projects);
  await expect.poll(() => raw.of('x').map(({ data }) => data['project_id'])).toEqual(['A', 'B']);
});

test('[RE3.3] [RE1] two resumes that are sent at once recover all their channels, whatever is published meanwhile', async () => {
  await using gateway = await startGateway();
  const token = await tokenFor('alice', { projects: MANY });
  using first = new RawClient(gateway.url, '/ws/notifications', token);
  await expect.poll(() => first.of('connection')).toHaveLength(1);
  await publishToEach(gateway);
  await expect.poll(() => first.of('x').length, PATIENCE).toBe(MANY.length);
  const cursors = first.of('x').map((event) => [event['channel'], event['cursor']]);
  await publishToEach(gateway);

  using second = new RawClient(gateway.url, '/ws/notifications?resume=1', token);
  await expect.poll(() => second.of('connection')).toHaveLength(1);
  for (const half of [cursors.slice(0, 250), cursors.slice(250)]) {
    second.say({ action: 'resume', cursors: Object.fromEntries(half) });
  }
  await publishToEach(gateway);
  await expect.poll(() => second.of('resumed').length, PATIENCE).toBe(2);
  const outcomes = second
    .of('resumed')
    .flatMap(({ data }) => Object.values(data['channels'] ?? {}));
  expect(outcomes.filter(({ recovered }) => recovered)).toHaveLength(MANY.length);
  await expect.poll(() => second.of('x').length, PATIENCE).toBe(2 * MANY.length);
});
