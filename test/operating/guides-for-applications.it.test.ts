import { type Envelope, get, post, RawClient, SocketClient, tokenFor, wsUrl } from '@leque/lab';
import { parseCommand } from '@leque/protocol';
import { type ServerProcess, startLeque, TEST_API_KEY } from '@leque/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, inlineOf, oneOf, runCode, textOf } from '../support/pages.ts';

interface Right {
  readonly project_id: string;
  readonly grant: string;
  readonly cursor: string;
  readonly expires_at: string;
}

interface RoomsGuide {
  openRoom(userId: string, room: string): Promise<Right>;
  join(ws: object, right: Right): void;
  joinOverSocketIo(socket: object, right: Right): Promise<object>;
  readonly tab: string;
  isNews(event: { data: object }): boolean;
  openTab(userId: string, tab: string): Promise<Right>;
  toTab(tab: string, type: string, data: object): object;
}

interface StateGuide {
  openBoard(userId: string, id: string): Promise<Right & { readonly cards: readonly Card[] }>;
  cursorOf(channel: string): Promise<string>;
  readonly cards: ReadonlyMap<string, Card>;
  put(card: Card): void;
  isNewer(cursor: string, known: string | undefined): boolean;
}

interface Card {
  readonly id: string;
  readonly version: number;
}

const ROOMS = 'docs/rooms.md';
const STATE = 'docs/state-and-stream.md';
const LIVE = 'docs/live-only-events.md';
const RESUMING = 'docs/resuming-many-channels.md';
const PAGES = [ROOMS, STATE, LIVE, RESUMING, 'docs/who-hears-what.md', 'docs/coming-from.md'];

describe('code of the guides for applications works as it is:', () => {
  let server: ServerProcess;
  let rooms: RoomsGuide;
  beforeAll(async () => {
    server = await startLeque({ AUTH_MODE: 'required', PUBLISH_API_KEYS: TEST_API_KEY });
    const names = 'openRoom join joinOverSocketIo tab isNews openTab toTab'.split(' ');
    rooms = await runCode((await codeOf(ROOMS, 'js')).join('\n'), scope(), names);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const scope = () => ({ LEQUE: server.url, KEY: TEST_API_KEY });
  const publish = async (event: object) => {
    const { status, body } = await post(`${server.url}/api/publish`, event, {
      'x-api-key': TEST_API_KEY,
    });
    expect(status, JSON.stringify(body)).toBe(200);
    return body;
  };
  const connect = (user: string, query = '') => {
    const url = wsUrl(server.url, `/ws/notifications${query}`);
    return RawClient.connect(url, { token: tokenFor(user) });
  };
  /** The part of a WebSocket that the guides use. */
  const wsOf = (client: RawClient) => ({ send: (text: string) => client.send(JSON.parse(text)) });

  test('[ISO] the guide to rooms lets a user hear one room, on both protocols', async () => {
    const right = await rooms.openRoom('ana', 'board:9');
    await using raw = await connect('ana');
    rooms.join(wsOf(raw), right);
    expect(await raw.first('subscribed')).toMatchObject({ data: { recovered: true } });
    await using official = await SocketClient.connect(server.url, { token: tokenFor('ana') });
    expect(await rooms.joinOverSocketIo(official.socket, right)).toMatchObject({ recovered: true });
    const elsewhere = { ...right, project_id: 'board:8' };
    await expect(rooms.joinOverSocketIo(official.socket, elsewhere)).rejects.toThrow();
    await publish({ type: 'note', project_id: 'board:9', data: { n: 1 } });
    expect((await raw.first('note')).data).toEqual({ n: 1 });
    expect(await official.first('note')).toMatchObject({ data: { n: 1 } });
  });

  test('the guide to rooms reaches one tab, and tells the tab that has caused an event', async () => {
    await using client = await connect('ana');
    rooms.join(wsOf(client), await rooms.openTab('ana', rooms.tab));
    await client.first('subscribed');
    await publish(rooms.toTab(rooms.tab, 'hint', { origin: rooms.tab }));
    const event = await client.first('hint');
    expect(rooms.isNews(event)).toBe(false);
    expect(rooms.isNews({ data: { origin: 'another' } })).toBe(true);
  });

  test('[GAP] the guide to state and stream misses nothing between a state and its stream', async () => {
    const database: Card[] = [];
    const change = async (version: number) => {
      database.push({ id: 'a', version });
      return await publish({ type: 'card', project_id: 'board:7', data: { id: 'a', version } });
    };
    const readCards = async () => {
      await change(2); // after the cursor, before the state: it comes twice
      return [...database];
    };
    await change(1);
    const code = (await codeOf(STATE, 'js')).join('\n');
    const names = 'openBoard cursorOf cards put isNewer'.split(' ');
    const guide = await runCode<StateGuide>(
      code,
      { ...scope(), openRoom: rooms.openRoom, readCards },
      names,
    );
    const board = await guide.openBoard('ana', '7');
    for (const card of board.cards) guide.put(card);
    const { cursor } = await change(3);
    expect(guide.isNewer(String(cursor), board.cursor)).toBe(true);
    expect(guide.isNewer(board.cursor, String(cursor))).toBe(false);
    expect(await guide.cursorOf('project:board:7')).toBe(cursor);
    expect(await guide.cursorOf('user:nobody')).toMatch(/\.0$/);
    await using client = await connect('ana');
    rooms.join(wsOf(client), { ...board, project_id: 'board:7' });
    await client.first(({ data }) => data['version'] === 3);
    const versions = client.all('card').map(({ data }) => data['version']);
    expect(versions).toEqual([2, 3]);
    for (const { data } of client.all('card')) guide.put(data as unknown as Card);
    expect([...guide.cards.values()]).toEqual([{ id: 'a', version: 3 }]);
  });

  test('the guide to live-only events sends one that is not stored, and notices missing tokens', async () => {
    const code = (await codeOf(LIVE, 'js')).join('\n');
    const guide = await runCode<{
      typing(room: string, user: string): object;
      addToken(token: { at: number; token: string }): boolean;
    }>(code, {}, ['typing', 'addToken']);
    await using client = await connect('ana');
    rooms.join(wsOf(client), await rooms.openRoom('ana', 'chat:1'));
    await client.first('subscribed');
    await publish(guide.typing('chat:1', 'ben'));
    expect(await client.first('typing')).not.toHaveProperty('cursor');
    const token = tokenFor('ops', { scope: 'admin' });
    const history = await get(`${server.url}/api/channels/project:chat:1/history`, {
      authorization: `Bearer ${token}`,
    });
    expect(history.body).toMatchObject({ publications: [] });
    const tokens = [
      { at: 0, token: 'It' },
      { at: 0, token: 'It' }, // an old one
      { at: 2, token: ' works' },
      { at: 9, token: '!' },
    ];
    expect(tokens.map(guide.addToken)).toEqual([true, true, true, false]);
  });

  test('the guide to tokens renews one before it ends', async () => {
    const code = await oneOf('docs/tokens.md', 'js', 'function renewInTime');
    const sooner = (task: () => void, ms: number) => setTimeout(task, Math.min(ms, 50));
    const guide = await runCode<{ renewInTime(ws: object, fetchToken: () => unknown): void }>(
      code,
      { setTimeout: sooner },
      ['renewInTime'],
    );
    const url = wsUrl(server.url, '/ws/notifications');
    const ws = new WebSocket(url, ['leque', `bearer.${tokenFor('ana')}`]);
    using _ws = { [Symbol.dispose]: () => ws.close() };
    const authenticated = new Promise<Envelope>((resolve) => {
      ws.addEventListener('message', ({ data }) => {
        const message = JSON.parse(data);
        if (message.type === 'authenticated') resolve(message);
      });
    });
    guide.renewInTime(ws, async () => tokenFor('ana'));
    const answer = await authenticated;
    expect(Date.parse(String(answer.data['expires_at']))).toBeGreaterThan(Date.now());
  });

  test('[GAP] the client of the guide to many channels follows a room from its state on', async () => {
    const { RoomClient } = await import(
      new URL('../../examples/lib/room-client.js', import.meta.url).href
    );
    const shown: Envelope[] = [];
    const used = {
      RoomClient,
      fetchToken: async () => tokenFor('ana'),
      openBoard: (id: string) => rooms.openRoom('ana', `board:${id}`),
      show: (event: Envelope) => shown.push(event),
      hide: () => {},
    };
    const code = (await oneOf(RESUMING, 'js', 'new RoomClient')).replace(
      'http://localhost:9001',
      server.url,
    );
    const { client } = await runCode<{ client: { close(): void } }>(code, used, ['client']);
    using _client = { [Symbol.dispose]: () => client.close() };
    await publish({ type: 'note', project_id: 'board:9', data: { n: 2 } });
    await publish({ type: 'note', user_id: 'ana', data: { n: 3 } });
    await expect.poll(() => shown.map(({ data }) => data['n']).toSorted()).toEqual([2, 3]);
  });

  test('what the guide to many channels shows of stream.js is there', async () => {
    const file = await textOf('examples/lib/stream.js');
    const excerpt = await oneOf(RESUMING, 'js', 'this.#early');
    expect(file).toContain(excerpt);
  });

  test('messages in the guide to many channels have the form of real ones', async () => {
    await using client = await connect('ana', '?resume=1');
    const shown = (await codeOf(RESUMING, 'json')).flatMap((text) => text.trim().split('\n'));
    const [begin, ...others] = shown.map((line) => JSON.parse(line));
    const connection = await client.first('connection');
    expect(connection.data).toMatchObject({
      status: begin.data.status,
      cursors: { 'user:ana': expect.any(String), all: expect.any(String) },
      expires_at: expect.any(String),
    });
    for (const command of others.filter(({ action }) => action)) {
      const { grant, cursor } = await rooms.openRoom('ana', 'board:9');
      const cursors = { ...(connection.data['cursors'] as object), 'project:board:9': cursor };
      expect(Object.keys(command.cursors).toSorted()).toEqual(Object.keys(cursors).toSorted());
      const answer = await client.ask({ ...command, cursors, grants: [grant] });
      const recovered = { recovered: true, cursor: expect.any(String) };
      const channels = Object.fromEntries(Object.keys(cursors).map((name) => [name, recovered]));
      expect(answer).toMatchObject({ type: 'resumed', data: { channels } });
    }
    await client.first('caught_up');
  });

  test.for(PAGES)('commands that %s names are commands', async (page) => {
    for (const text of await inlineOf(page, '{"action"')) {
      expect(() => parseCommand(text), text).not.toThrow();
    }
  });

  test.for(PAGES)('events that %s names are stored', async (page) => {
    for (const text of await inlineOf(page, '{"type"')) await publish(JSON.parse(text));
  });
});
