import { connect as connectTcp } from 'node:net';
import {
  expiredTokenFor,
  get,
  hs256,
  inSeconds,
  post,
  RawClient,
  SocketClient,
  tokenFor,
  unsigned,
  wsUrl,
} from '@leque/lab';
import { MAX_CURSORS } from '@leque/protocol';
import { type ServerProcess, startLeque, TEST_API_KEY } from '@leque/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const NOTIFICATIONS = '/ws/notifications';
const WITH_KEY = { authorization: `Bearer ${TEST_API_KEY}` };

describe('bad input', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await startLeque({ AUTH_MODE: 'required', PUBLISH_API_KEYS: TEST_API_KEY });
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const token = tokenFor('alice', { projects: ['PROJ-A'] });
  const connect = () => RawClient.connect(wsUrl(server.url, NOTIFICATIONS), { token });
  const publish = (body: unknown, headers: Record<string, string> = WITH_KEY) =>
    post(`${server.url}/api/publish`, body, headers);

  describe('in a command:', () => {
    test.for<[string, string, string]>([
      ['text that is neither `ping` nor JSON', 'hello', 'invalid_json'],
      ['JSON that is cut off', '{"action":"ping"', 'invalid_json'],
      ['nothing at all', '', 'invalid_json'],
      ['JSON that is a list', '[{"action":"ping"}]', 'invalid_command'],
      ['JSON that is a number', '42', 'invalid_command'],
      ['JSON that is null', 'null', 'invalid_command'],
      ['an unknown action', '{"action":"fly"}', 'unknown_action'],
      ['the name of an inherited property', '{"action":"constructor"}', 'unknown_action'],
      ['an action that is not a string', '{"action":{"toString":1}}', 'unknown_action'],
      ['no action', '{}', 'unknown_action'],
      ['a missing project_id', '{"action":"subscribe"}', 'invalid_command'],
      [
        'an over-long project_id',
        JSON.stringify({ action: 'subscribe', project_id: 'x'.repeat(257) }),
        'invalid_command',
      ],
      [
        'a project_id with control characters',
        JSON.stringify({ action: 'unsubscribe', project_id: 'a\u0000b' }),
        'invalid_command',
      ],
    ])(
      '%s gets an `error` event with a code, and the connection stays open',
      async ([, text, code]) => {
        await using client = await connect();
        client.send(text);
        expect(await client.first('error')).toMatchObject({
          data: { code, message: expect.any(String) },
        });
        expect(await client.ask({ action: 'ping' })).toMatchObject({ type: 'pong' });
      },
    );

    test.for([
      '{"action":"resume"}',
      '{"action":"resume","cursors":["all"]}',
      '{"action":"resume","cursors":{"all":7}}',
      `{"action":"resume","cursors":{"all":"${'e'.repeat(65)}"}}`,
      '{"action":"resume","cursors":{"all":"e.1"',
      '{"action":"resume","cursors":{"all":"e.1"},"id":{}}',
      '{"action":"subscribe","project_id":"PROJ-A","since":7}',
      JSON.stringify({
        action: 'resume',
        cursors: Object.fromEntries(
          Array.from({ length: MAX_CURSORS + 1 }, (_, n) => [`project:${n}`, 'e.1']),
        ),
      }),
    ])(
      '[RE4.6] %s, whose cursors cannot be read, gets `error`, ends the connection, and no event follows',
      async (text) => {
        await using client = await connect();
        await client.first('connection');
        client.send(text);
        expect((await client.closed).code).toBe(1008);
        const { status } = await publish({ type: 'late', project_id: 'PROJ-A', data: {} });
        expect(status).toBe(200);
        expect(client.all('error')).toHaveLength(1);
        expect(client.all('late')).toEqual([]);
      },
    );

    test('[RE1.4] a text that is no cursor gets `recovered: false`', async () => {
      await using client = await connect();
      const command = { action: 'subscribe', project_id: 'PROJ-A', since: '../0' };
      expect(await client.ask(command)).toMatchObject({
        type: 'subscribed',
        data: { recovered: false, cursor: expect.any(String) },
      });
    });

    test('an error repeats the id of its command and names the field', async () => {
      await using client = await connect();
      const { type, data } = await client.ask({ action: 'subscribe', project_id: 7.5 });
      expect(type).toBe('error');
      expect(data['message']).toContain('project_id');
    });

    test('[ISO] a project outside the grants gets `forbidden`, and nothing is subscribed', async () => {
      await using client = await connect();
      expect(await client.subscribe('PROJ-B')).toMatchObject({
        type: 'error',
        data: { code: 'forbidden' },
      });
      for (const project_id of ['PROJ-B', 'PROJ-A']) {
        const { status } = await publish({ type: 'secret', project_id, data: {} });
        expect(status).toBe(200);
      }
      await client.first(({ project_id }) => project_id === 'PROJ-A');
      expect(client.all('secret').map(({ project_id }) => project_id)).toEqual(['PROJ-A']);
      const url = `${server.url}/api/ws/project/PROJ-B/subscribers`;
      expect((await get(url, WITH_KEY)).body).toMatchObject({ subscribers: 0 });
    });

    test('[AD] [ISO] /ws/project/{id} of a project outside the grants is refused with 403 before the upgrade', async () => {
      const url = wsUrl(server.url, '/ws/project/PROJ-B');
      expect(await RawClient.refusal(url, { token })).toMatchObject({ status: 403 });
    });

    test('an invalid project id or log level is refused with 400 before the upgrade', async () => {
      for (const path of [
        `/ws/project/${'x'.repeat(257)}`,
        '/ws/project/a%0Ab',
        '/ws/logs?level=loud',
      ]) {
        const { status } = await RawClient.refusal(wsUrl(server.url, path), { token });
        expect({ path, status }).toEqual({ path, status: 400 });
      }
    });

    test('[WS8] more commands than may wait get an `error`, and a continued flood is closed with 4029', async () => {
      await using client = await connect();
      for (let n = 0; n < 660; n += 1) client.send('ping');
      expect(await client.first('error')).toMatchObject({ data: { code: 'rate_limited' } });
      expect(client.all('pong').length).toBeLessThan(200);
      const flood = setInterval(() => client.send('ping'), 2);
      const { code } = await client.closed.finally(() => clearInterval(flood));
      expect(code).toBe(4029);
    });
  });

  describe('in a frame:', () => {
    test('a frame above WEBSOCKET_MAX_MESSAGE_SIZE is closed with 1009', async () => {
      await using client = await connect();
      client.send('x'.repeat(65_537));
      expect(await client.closed).toMatchObject({ code: 1009 });
    });

    test('a binary frame is closed with 1003', async () => {
      await using client = await connect();
      client.socket.send(Buffer.from('ping'), { binary: true });
      expect(await client.closed).toMatchObject({ code: 1003 });
    });

    test('invalid UTF-8 is closed with 1007', async () => {
      await using client = await connect();
      client.socket.send(Buffer.from([0xc3, 0x28]), { binary: false });
      expect(await client.closed).toMatchObject({ code: 1007 });
    });

    test('bytes that violate the WebSocket protocol, or are not HTTP, close the connection', async () => {
      for (const bytes of [Buffer.from([0xf9, 0xff, 0x00, 0x01]), Buffer.from('x\r\n\r\n')]) {
        await using client = await connect();
        // Writes past the framing of the client library.
        (client.socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(
          bytes,
        );
        expect([1002, 1006]).toContain((await client.closed).code);
      }
      const { port } = new URL(server.url);
      const socket = connectTcp(Number(port), '127.0.0.1');
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.on('error', () => {}).end('\x16\x03\x01 this is not HTTP\r\n\r\n');
      socket.resume();
      await closed;
    });
  });

  describe('in a token:', () => {
    const bad: [string, string | undefined, RegExp][] = [
      ['no token', undefined, /token/i],
      ['a bad token', 'YOUR_JWT_TOKEN', /token/i],
      [
        'a token signed with another key',
        hs256({ sub: 'alice', exp: inSeconds(60) }, 'x'.repeat(32)),
        /./,
      ],
      ['an unsigned token', unsigned({ sub: 'alice', exp: inSeconds(60) }), /none/],
      ['an expired token', expiredTokenFor('alice'), /expired/],
    ];

    test.for(bad)('%s gets HTTP 401 before the upgrade', async ([, value]) => {
      const paths = [NOTIFICATIONS, '/ws/project/PROJ-A', '/ws/logs'];
      for (const path of paths) {
        const url = wsUrl(server.url, path);
        const options = value === undefined ? {} : { token: value };
        expect(await RawClient.refusal(url, options)).toMatchObject({ status: 401 });
      }
      if (value === undefined) return;
      const query = wsUrl(server.url, `${NOTIFICATIONS}?token=${value}`);
      expect(await RawClient.refusal(query)).toMatchObject({ status: 401 });
      const protocols = ['leque', `bearer.${value}`];
      const url = wsUrl(server.url, NOTIFICATIONS);
      expect(await RawClient.refusal(url, { protocols })).toMatchObject({ status: 401 });
    });

    test.for(bad)('%s gets `connect_error` on Socket.IO', async ([, value, message]) => {
      const options = value === undefined ? {} : { token: value };
      const error = await SocketClient.refusal(server.url, options);
      expect(error.message).toMatch(message);
    });

    test('[AD.3] a good token works in the header, in the query and as a subprotocol', async () => {
      const url = wsUrl(server.url, NOTIFICATIONS);
      await using _header = await RawClient.connect(url, { token });
      await using _query = await RawClient.connect(`${url}?token=${token}`);
      await using protocol = await RawClient.connect(url, {
        protocols: ['leque', `bearer.${token}`],
      });
      expect(protocol.socket.protocol).toBe('leque');
    });

    test('[CC] an expired token closes the connection with 4001 unless a fresh one arrived', async () => {
      const short = () => tokenFor('alice', { exp: inSeconds(2) });
      const url = wsUrl(server.url, NOTIFICATIONS);
      await using stale = await RawClient.connect(url, { token: short() });
      await using renewed = await RawClient.connect(url, { token: short() });
      const answer = await renewed.ask({ action: 'auth', token });
      expect(answer).toMatchObject({ type: 'authenticated', data: { user_id: 'alice' } });
      expect(await renewed.ask({ action: 'auth', token: 'nonsense' })).toMatchObject({
        type: 'error',
        data: { code: 'token_malformed' },
      });
      expect(await stale.closed).toMatchObject({ code: 4001 });
      expect(await renewed.ask({ action: 'ping' })).toMatchObject({ type: 'pong' });
    });
  });
});
