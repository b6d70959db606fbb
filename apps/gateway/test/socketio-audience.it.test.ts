import { MAX_CURSORS } from '@leque/protocol';
import { io, type Socket } from 'socket.io-client';
import { describe, expect, test } from 'vitest';
import { type GatewayUnderTest, startGateway, tokenFor } from './support/gateway.ts';
import { connect as connectRecovering, cut } from './support/recovering-client.ts';

const PROJECTS = ['A', 'B'];

/** Publishes to everybody, to alice, and to projects, and then what the client certainly gets. */
async function publishAround(gateway: GatewayUnderTest): Promise<void> {
  await gateway.publish({ type: 'news', data: { of: 'all' }, channel: 'all' });
  await gateway.publish({ type: 'news', data: { of: 'user' }, user_id: 'alice' });
  await gateway.publish({ type: 'news', data: { of: 'bob' }, user_id: 'bob' });
  for (const project_id of ['A', 'B', 'C']) {
    await gateway.publish({ type: 'news', data: { of: project_id }, project_id });
  }
  await gateway.publish({ type: 'end', data: {}, user_id: 'alice' });
  await gateway.publish({ type: 'end', data: {}, channel: 'all' });
}

/** Returns what the client has heard, after both channels have ended and the node has flushed. */
async function heardBy(client: Client): Promise<unknown[]> {
  await expect.poll(() => client.all('end')).toHaveLength(2);
  await client.socket.timeout(2000).emitWithAck('ping');
  return client
    .all('news')
    .map(({ data }) => (data as { of: string }).of)
    .sort();
}

async function connect(
  gateway: GatewayUnderTest,
  auth: object = {},
  projects: readonly string[] = PROJECTS,
): Promise<Client> {
  const token = await tokenFor('alice', { projects: [...projects] });
  const socket = io(`${gateway.url}/events`, {
    auth: { token, ...auth },
    transports: ['websocket'],
    forceNew: true,
  });
  const received: { name: string; payload: Payload }[] = [];
  socket.onAny((name: string, payload: Payload) => received.push({ name, payload }));
  await new Promise((resolve) => socket.once('connected', resolve));
  return {
    socket,
    all: (name: string) =>
      received.filter((each) => each.name === name).map(({ payload }) => payload),
    [Symbol.asyncDispose]: async () => void socket.disconnect(),
  };
}

type Payload = Readonly<Record<string, unknown>>;

interface Client extends AsyncDisposable {
  readonly socket: Socket;
  /** The payloads of all events of a name so far. */
  all(name: string): Payload[];
}

describe('[IO9] who hears what on Socket.IO', () => {
  test.each([
    ['without asking', {}, PROJECTS, ['all', 'user']],
    ['with auth.projects', { projects: true }, PROJECTS, ['A', 'B', 'all', 'user']],
    ['with auth.projects that is not true', { projects: 'yes' }, PROJECTS, ['all', 'user']],
    [
      'with auth.projects and a token for all',
      { projects: true },
      ['*'],
      ['A', 'B', 'C', 'all', 'user'],
    ],
    ['without asking, with a token for all', {}, ['*'], ['all', 'user']],
  ])('[IO9] [ISO] %s', async (...row) => {
    const [, auth, projects, expected] = row;
    await using gateway = await startGateway();
    await using client = await connect(gateway, auth, projects);
    await publishAround(gateway);
    expect(await heardBy(client)).toEqual(expected);
  });

  test('[IO9.1] [IO9.4] [ISO] subscribe.projects takes a list, all projects that the token names, and no others', async () => {
    await using gateway = await startGateway();
    await using client = await connect(gateway);
    const ask = (name: string, sent?: object) =>
      client.socket.timeout(2000).emitWithAck(name, ...(sent === undefined ? [] : [sent]));
    expect(await ask('subscribe.projects', { project_ids: ['A', 'C'] })).toMatchObject({
      channels: { 'project:A': { cursor: expect.any(String) }, 'project:C': { code: 'forbidden' } },
    });
    expect(await ask('subscribe.projects')).toMatchObject({
      channels: { 'project:A': {}, 'project:B': {} },
    });
    const tooMany = Array.from({ length: MAX_CURSORS + 1 }, (_, n) => `P${n}`);
    for (const project_ids of ['A', [7.5], ['a\nb'], tooMany]) {
      expect(await ask('subscribe.projects', { project_ids })).toMatchObject({
        code: 'invalid_command',
      });
    }
    expect(await ask('unsubscribe.projects', { project_ids: ['A'] })).toMatchObject({
      channels: ['project:A'],
    });
    await publishAround(gateway);
    expect(await heardBy(client)).toEqual(['B', 'all', 'user']);
  });

  test('[IO9.1] [GAP] subscribe.projects begins after the cursors that it brings', async () => {
    await using gateway = await startGateway();
    await using watcher = await connect(gateway, { projects: true });
    await publishAround(gateway);
    await heardBy(watcher);
    const [first] = watcher.all('news').filter(({ channel }) => channel === 'project:A');
    await gateway.publish({ type: 'news', data: { of: 'A2' }, project_id: 'A' });
    await using client = await connect(gateway);
    const answer = await client.socket.timeout(2000).emitWithAck('subscribe.projects', {
      project_ids: ['A'],
      since: { A: first?.['cursor'] },
    });
    expect(answer).toMatchObject({ channels: { 'project:A': { recovered: true } } });
    await expect.poll(() => client.all('news').map(({ data }) => data)).toEqual([{ of: 'A2' }]);
  });

  test('[IO9.2] [DUP] a first subscription leaves the firehose, and doubles nothing', async () => {
    await using gateway = await startGateway();
    await using client = await connect(gateway, { projects: true }, ['*']);
    await client.socket
      .timeout(2000)
      .emitWithAck('subscribe.projects', { project_ids: ['B', 'C'] });
    await publishAround(gateway);
    expect(await heardBy(client)).toEqual(['B', 'C', 'all', 'user']);
  });

  test('[IO9.2] a fresh token brings its new projects, and takes the others away', async () => {
    await using gateway = await startGateway();
    await using client = await connect(gateway, { projects: true });
    const token = await tokenFor('alice', { projects: ['B', 'C'] });
    await client.socket.timeout(2000).emitWithAck('auth', { token });
    await publishAround(gateway);
    expect(await heardBy(client)).toEqual(['B', 'C', 'all', 'user']);
  });

  test('[IO8.3] [HR.2] a project that ended with its right comes back to a client that recovers', async () => {
    await using gateway = await startGateway();
    const tokenWith = (...projects: string[]) => tokenFor('ana', { projects });
    using client = await connectRecovering(gateway, {
      auth: { token: await tokenWith('A', 'B'), projects: true },
    });
    await client.socket.timeout(2000).emitWithAck('auth', { token: await tokenWith('A') });
    await cut(client, async () => {
      await gateway.publish({ type: 'news', data: { n: 1 }, project_id: 'A' });
    });
    expect(client.recoveries).toEqual([false, true]);
    await gateway.publish({ type: 'news', data: { n: 2 }, project_id: 'B' });
    await gateway.publish({ type: 'news', data: { n: 3 }, user_id: 'ana' });
    await expect.poll(() => [...client.seen].sort()).toEqual(['news 1', 'news 2', 'news 3']);
  });

  test('[HR.1] [IO9.3] [DUP] `auth.cursors` of a project end no other, also with a token for all', async () => {
    await using gateway = await startGateway();
    await using watcher = await connect(gateway, { projects: true });
    await publishAround(gateway);
    await heardBy(watcher);
    const [first] = watcher.all('news').filter(({ channel }) => channel === 'project:A');
    await gateway.publish({ type: 'news', data: { of: 'A2' }, project_id: 'A' });
    const auth = { projects: true, cursors: { 'project:A': first?.['cursor'] } };
    await using client = await connect(gateway, auth, ['*']);
    await publishAround(gateway);
    expect(await heardBy(client)).toEqual(['A', 'A2', 'B', 'C', 'all', 'user']);
  });

  test('[IO8] [IO9] [GAP] what everybody got meanwhile is recovered, and so are the projects', async () => {
    await using gateway = await startGateway();
    using client = await connectRecovering(gateway, {
      auth: { token: await tokenFor('ana', { projects: PROJECTS }), projects: true },
    });
    await cut(client, async () => {
      await gateway.publish({ type: 'news', data: { n: 1 }, channel: 'all' });
      await gateway.publish({ type: 'news', data: { n: 2 }, project_id: 'A' });
      await gateway.publish({ type: 'news', data: { n: 3 }, user_id: 'ana' });
    });
    expect(client.recoveries).toEqual([false, true]);
    await expect.poll(() => [...client.seen].sort()).toEqual(['news 1', 'news 2', 'news 3']);
    await gateway.publish({ type: 'news', data: { n: 4 }, channel: 'all' });
    await expect.poll(() => client.seen.at(-1)).toBe('news 4');
  });
});

test.each<[string, object]>([
  ['subscribe.project', { project_id: 'A', since: 7 }],
  ['subscribe.project', { project_id: 'A', since: 'e'.repeat(65) }],
  ['subscribe.project', { project_id: 'a\nb', since: 'e.1' }],
  ['subscribe.projects', { project_ids: 'A', since: { A: 'e.1' } }],
  ['subscribe.projects', { project_ids: ['A'], since: ['e.1'] }],
  ['subscribe.projects', { project_ids: ['A'], since: { A: 7 } }],
])(
  '[RE4.6] [IO6.3] %s with %j, whose cursors cannot be read, gets `error`, and ends the connection for good',
  async (name, command) => {
    await using gateway = await startGateway();
    await using client = await connect(gateway, { projects: true });
    client.socket.emit(name, command);
    await expect.poll(() => client.socket.connected).toBe(false);
    expect(client.socket.active).toBe(false); // the client does not come back
    await publishAround(gateway);
    const codes = client.all('error').map(({ code }) => code);
    expect({ codes, news: client.all('news') }).toEqual({
      codes: ['invalid_command', 1008],
      news: [],
    });
  },
);

test('[RE1.4] a text that is no cursor gets `recovered: false` on Socket.IO', async () => {
  await using gateway = await startGateway();
  await using client = await connect(gateway);
  const command = { project_ids: ['A'], since: { A: '../0' } };
  const answer = await client.socket.timeout(2000).emitWithAck('subscribe.projects', command);
  expect(answer).toMatchObject({ channels: { 'project:A': { recovered: false } } });
});
