import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { CLOSE } from '@leque/protocol';
import { requestText } from '@leque/testkit';
import { expect, test } from 'vitest';
import { EngineClient } from './support/engine-client.ts';
import { startGateway, tokenFor } from './support/gateway.ts';
import { RawClient } from './support/raw-client.ts';

const UNFINISHED = 'POST /nope HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{';

/** Everything that the server sends until it closes the connection. */
async function answerTo(gateway: string, request: string): Promise<string> {
  const socket = connect(Number(new URL(gateway).port), '127.0.0.1');
  socket.write(request);
  return text(socket).catch((error: NodeJS.ErrnoException) => String(error.code));
}

async function join(gateway: string, user = 'alice'): Promise<EngineClient> {
  const client = await EngineClient.open(gateway);
  client.say(await joinPacket(user));
  await expect.poll(() => client.of('connections.count')).toHaveLength(1);
  return client;
}

async function joinPacket(user: string, auth: object = {}): Promise<string> {
  return `40/events,${JSON.stringify({ token: await tokenFor(user), ...auth })}`;
}

test('[MEM] [IO7] a binary packet ends the connection before its attachment can grow', async () => {
  await using gateway = await startGateway();
  using client = await join(gateway.url);
  const members = Array.from({ length: 1600 }, (_, n) => [`k${n}`, { _placeholder: true, num: 0 }]);
  const packet = JSON.stringify(['ping', Object.fromEntries(members)]);
  client.say(`451-/events,${packet}`, Buffer.alloc(60_000));
  await expect.poll(() => client.closeCode).toBeDefined();
  expect(client.of('pong')).toEqual([]);
  expect(client.of('error')).toEqual([
    { code: CLOSE.unsupportedData, message: 'text packets only' },
  ]);
  await expect
    .poll(() => gateway.telemetry.of('session_closed').map(({ code }) => code))
    .toEqual([CLOSE.unsupportedData]);
});

test('[CNT] [DUP] [IO1.2] a Socket.IO connection that joins several times at once gets only one session', async () => {
  await using gateway = await startGateway();
  using client = await EngineClient.open(gateway.url);
  client.say(...Array<string>(20).fill(await joinPacket('alice')));
  await expect.poll(() => client.closeCode).toBeDefined();
  await expect.poll(() => gateway.hub.sessions.size).toBe(0);
  expect(gateway.telemetry.of('session_opened').length).toBeLessThanOrEqual(1);
});

test('[IO1.1] a Socket.IO connection that was refused may try again with another token', async () => {
  await using gateway = await startGateway();
  using client = await EngineClient.open(gateway.url);
  client.say('40/events,{"token":"nonsense"}');
  await expect.poll(() => client.packets.some((each) => each.startsWith('44/events,'))).toBe(true);
  client.say(await joinPacket('alice'));
  await expect.poll(() => client.of('connected')).toHaveLength(1);
});

test('[IN1.5] a Socket.IO connection ends with its ninth CONNECT', async () => {
  await using gateway = await startGateway();
  using client = await EngineClient.open(gateway.url);
  for (let sent = 0; sent < 8; sent += 1) client.say('40');
  const answers = () => client.packets.filter((packet) => packet.startsWith('44')).length;
  await expect.poll(answers).toBe(8);
  expect(client.closeCode).toBeUndefined();
  client.say('40');
  await expect.poll(() => client.closeCode).toBeDefined();
});

test('[IN1.5] a Socket.IO connection that has not joined ends with a CONNECT to another namespace', async () => {
  await using gateway = await startGateway();
  using client = await EngineClient.open(gateway.url);
  client.say('40/other,');
  await expect.poll(() => client.closeCode).toBeDefined();
});

test('[IO4] a ping nested too deeply to be echoed is refused without an internal failure', async () => {
  await using gateway = await startGateway();
  using client = await join(gateway.url);
  const nested = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  client.say(`42/events,["ping",{"x":${nested}}]`, '42/events,["ping",{"x":1}]');
  await expect.poll(() => client.of('pong')).toMatchObject([{ x: 1 }]);
  expect(client.of('error')).toMatchObject([{ code: 'invalid_command' }]);
  expect(gateway.telemetry.of('failure')).toEqual([]);
});

test.each([
  { what: 'an id that is not UTF-8', status: 400, path: '/ws/project/%ff' },
  { what: 'an id that is far too long', status: 400, path: `/ws/project/${'x'.repeat(2_400)}` },
  { what: 'an unknown path', status: 404, path: '/ws/elsewhere' },
])('[AD] $what gets a problem document, with an upgrade or without', async ({ path, status }) => {
  await using gateway = await startGateway({ AUTH_MODE: 'open' });
  const answer = await fetch(`${gateway.url}${path}`);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(await answer.json()).toMatchObject({ status, code: expect.any(String) });
  expect(await answerTo(gateway.url, requestText({ path }))).toMatch(
    new RegExp(`^HTTP/1.1 ${status} `),
  );
});

test.each([
  { path: '/healthz', status: 404 },
  { path: '/metrics', status: 404 },
  { path: '/', status: 404 },
  { path: '/socket.io/?EIO=4&transport=polling', status: 404 },
  { path: '/socket.io/?EIO=4', status: 404 },
  { path: '/socket.io/elsewhere?EIO=4&transport=websocket', status: 404 },
  { path: '/socket.io/?EIO=3&transport=websocket', status: 400 },
])('[AD] an upgrade of $path is answered with $status instead of 101', async ({ path, status }) => {
  await using gateway = await startGateway({ AUTH_MODE: 'open' });
  expect(await answerTo(gateway.url, requestText({ path }))).toMatch(
    new RegExp(`^HTTP/1.1 ${status} `),
  );
});

test('[AD] nothing beneath the path of Socket.IO is Socket.IO', async () => {
  await using gateway = await startGateway();
  const answer = await fetch(`${gateway.url}/socket.io/elsewhere?EIO=4&transport=polling`);
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ code: 'not_found' });
});

test('[LIVE] a request that never completes does not keep a node from stopping', async () => {
  const gateway = await startGateway({ AUTH_MODE: 'open' });
  const answered = answerTo(gateway.url, UNFINISHED);
  await expect.poll(() => gateway.connections()).toBe(1);
  const startedAt = performance.now();
  await gateway.stop();
  expect(performance.now() - startedAt).toBeLessThan(5000);
  await answered;
});

test('[MEM] [CC] a message in more than 64 fragments ends the connection with 1008', async () => {
  await using gateway = await startGateway({ AUTH_MODE: 'open' });
  using raw = new RawClient(gateway.url, '/ws/notifications');
  using engine = await EngineClient.open(gateway.url);
  await expect.poll(() => raw.of('connection')).toHaveLength(1);
  for (const { socket } of [raw, engine]) {
    for (let n = 0; n < 65; n += 1) socket.send('x', { fin: false });
  }
  expect(await raw.closed).toMatchObject({ code: 1008 });
  await expect.poll(() => engine.closeCode).toBe(1008);
});

test('[WS4] a frame that violates the protocol closes its connection without an internal failure', async () => {
  await using gateway = await startGateway({ AUTH_MODE: 'open' });
  using client = new RawClient(gateway.url, '/ws/notifications');
  await expect.poll(() => client.of('connection')).toHaveLength(1);
  (client.socket as unknown as { _socket: Socket })._socket.write(Buffer.from([0xf9, 0xff, 0, 1]));
  expect(await client.closed).toMatchObject({ code: 1002 });
  await expect.poll(() => gateway.telemetry.of('session_closed')).toHaveLength(1);
  expect(gateway.telemetry.of('failure')).toEqual([]);
});

test('[AD] [WS8] a token with more projects than a session may have is refused before the upgrade', async () => {
  await using gateway = await startGateway();
  const projects = Array.from({ length: 511 }, (_, n) => `P${n}`);
  const token = await tokenFor('alice', { projects });
  const path = `/ws/notifications?token=${token}`;
  const answer = await answerTo(gateway.url, requestText({ path }));
  expect(answer).toMatch(/^HTTP\/1.1 403 /);
  expect(answer).toContain('"code":"too_many_subscriptions"');
  // An endpoint for one project needs only one of them, so the token is accepted there.
  using client = new RawClient(gateway.url, '/ws/project/P7', token);
  await expect.poll(() => client.of('connection')).toHaveLength(1);
});

test('[GAP] [IO5] [RE3.8] a resume with too many cursors is refused as a whole', async () => {
  await using gateway = await startGateway();
  const cursors = Object.fromEntries(
    Array.from({ length: 513 }, (_, n) => [`project:P${n}`, 'e.1']),
  );
  using engine = await EngineClient.open(gateway.url);
  engine.say(await joinPacket('alice', { cursors }));
  await expect.poll(() => engine.packets.at(-1)).toMatch(/^44\/events,.*"invalid_command"/);
  using raw = new RawClient(gateway.url, '/ws/notifications', await tokenFor('alice'));
  await expect.poll(() => raw.of('connection')).toHaveLength(1);
  raw.say({ action: 'resume', cursors });
  await expect
    .poll(() => raw.of('error').map(({ data }) => data['code']))
    .toEqual(['invalid_command']);
});

test('[GAP] [ISO] [HR.3] a fresh token that does not cover the endpoint ends its channel, and says so', async () => {
  await using gateway = await startGateway();
  const withProject = (project: string) => tokenFor('alice', { projects: [project] });
  using client = new RawClient(gateway.url, '/ws/project/P', await withProject('P'));
  await expect.poll(() => client.of('connection')).toHaveLength(1);
  client.say({ action: 'auth', token: await withProject('Q') });
  await expect.poll(() => client.of('authenticated')[0]?.data['ended']).toEqual(['project:P']);
  await gateway.publish({ type: 'x', data: { n: 1 }, project_id: 'P' });
  await gateway.publish({ type: 'x', data: { n: 1 }, project_id: 'Q' });
  client.say('ping');
  await expect.poll(() => client.of('pong')).toHaveLength(1);
  expect(client.of('x')).toEqual([]);
  const [session] = gateway.hub.sessions;
  expect(session?.identity.grants.projects).toEqual(['Q']);
});
