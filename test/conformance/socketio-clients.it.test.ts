import {
  CLIENTS,
  type ClientVersion,
  publish,
  SocketClient,
  type SocketOptions,
  type System,
  startEmbedded,
  type Transport,
  tokenFor,
} from '@leque/lab';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** Runs on every version, because each keeps the last argument of an event as its offset. */
describe('official Socket.IO clients', () => {
  let system: System;
  beforeAll(async () => {
    system = await startEmbedded();
  });
  afterAll(() => system?.[Symbol.asyncDispose]());

  const cases = (Object.keys(CLIENTS) as ClientVersion[]).flatMap((client) =>
    (['websocket', 'polling'] as const).map((transport) => [client, transport] as const),
  );

  test.for<readonly [ClientVersion, Transport]>(cases)(
    '[IO8.16] client %s is recognised over %s by its handshake, and its events have an offset',
    async ([client, transport]) => {
      await using clients = await connect({ client, transport, query: { own: 'parameter' } });
      expect(await clients.argumentsOf('told')).toEqual([expect.any(Object), expect.any(String)]);
    },
  );

  test.for<readonly [ClientVersion, Transport]>(cases)(
    '[IO8.17] client %s over %s gets one argument with `auth.recovery: false`',
    async ([client, transport]) => {
      await using clients = await connect({ client, transport, auth: { recovery: false } });
      expect(await clients.argumentsOf('told')).toEqual([expect.any(Object)]);
    },
  );

  test('[IO8.18] a client with a browser user agent that begins with a WebSocket gets offsets only when it asks', async () => {
    const headers = { 'user-agent': 'Mozilla/5.0' };
    await using page = await connect({ headers });
    expect(await page.argumentsOf('told')).toHaveLength(1);
    await using asking = await connect({ headers, auth: { recovery: true } });
    expect(await asking.argumentsOf('told')).toHaveLength(2);
  });

  test('[IO8.19] with SOCKETIO_RECOVERY=on any client of Engine.IO 4 gets offsets', async () => {
    await using all = await startEmbedded({ SOCKETIO_RECOVERY: 'on' });
    await using page = await connect({ headers: { 'user-agent': 'Mozilla/5.0' } }, all);
    expect(await page.argumentsOf('told')).toHaveLength(2);
  });

  test('[IO5.1] [IO5.2] `auth.cursors` as JSON text resumes, and an unreadable one is refused by name', async () => {
    const user = crypto.randomUUID();
    const token = tokenFor(user);
    const first = await SocketClient.connect(system.node.url, { token });
    const { cursor } = await first.first('connected');
    await first[Symbol.asyncDispose]();
    await publish(system, { type: 'told', data: {}, user_id: user });
    const cursors = JSON.stringify({ [`user:${user}`]: cursor });
    await using second = await SocketClient.connect(system.node.url, { token, auth: { cursors } });
    expect(await second.first('connected')).toMatchObject({ recovered: true });
    await second.first('told');
    const refusal = await SocketClient.refusal(system.node.url, { token, auth: { cursors: 'x' } });
    expect(refusal.message).toContain('auth.cursors');
  });

  async function connect(options: SocketOptions, to = system) {
    const user = crypto.randomUUID();
    const client = await SocketClient.connect(to.node.url, {
      token: tokenFor(user),
      ...options,
    });
    return {
      /** The arguments with which an event of its user reaches the client's handler. */
      async argumentsOf(type: string): Promise<unknown[]> {
        const arrived = new Promise<unknown[]>((resolve) => {
          client.socket.once(type, (...all: unknown[]) => resolve(all));
        });
        await publish(to, { type, data: {}, user_id: user });
        return arrived;
      },
      [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
    };
  }
});
