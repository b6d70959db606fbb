import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { CLOSE } from '@leque/protocol';
import { io, type Socket } from 'socket.io-client';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { EngineClient } from './support/engine-client.ts';
import { type GatewayUnderTest, startGateway, tokenFor } from './support/gateway.ts';
import { RawClient } from './support/raw-client.ts';
import { refusalOf } from './support/refused-upgrade.ts';

const PATH = '/ws/notifications';
const ENGINE_PATH = '/socket.io/?EIO=4&transport=websocket';

function disconnecting(socket: Socket): Disposable {
  return { [Symbol.dispose]: () => void socket.disconnect() };
}

const joining = (gateway: GatewayUnderTest, transport: string) =>
  gateway.hub.counters.of(transport).joining;

const refusals = (gateway: GatewayUnderTest) =>
  gateway.telemetry.of('connection_refused').map(({ code }) => code);

describe('a user', () => {
  const LIMITED = { MAX_CONNECTIONS_PER_USER: '2' };

  test('[AD.4] with as many connections as allowed is refused with 429, and others are not', async () => {
    await using gateway = await startGateway(LIMITED);
    const token = await tokenFor('alice');
    using first = new RawClient(gateway.url, PATH, token);
    using second = new RawClient(gateway.url, PATH, token);
    await expect.poll(() => gateway.hub.sessions.size).toBe(2);
    const headers = { authorization: `Bearer ${token}` };
    const refusal = await refusalOf(gateway, PATH, headers);
    expect(refusal?.statusCode).toBe(429);
    expect(refusal?.headers['retry-after']).toMatch(/^[1-5]$/);
    expect(JSON.parse(await text(refusal as IncomingMessage))).toMatchObject({
      code: 'too_many_connections',
      detail: 'this user has 2 connections to this node already',
    });
    using other = new RawClient(gateway.url, PATH, await tokenFor('bob'));
    await expect.poll(() => other.of('connection')).toHaveLength(1);
    first[Symbol.dispose]();
    await expect.poll(() => gateway.hub.sessions.size).toBe(2);
    using third = new RawClient(gateway.url, PATH, token);
    await expect.poll(() => third.of('connection')).toHaveLength(1);
    expect(second.socket.readyState).toBe(WebSocket.OPEN);
  });

  test('[AD.4] [AD.5] gets connect_error over Socket.IO, whatever transport holds the other connections', async () => {
    await using gateway = await startGateway(LIMITED);
    const token = await tokenFor('alice');
    using _first = new RawClient(gateway.url, PATH, token);
    using _second = new RawClient(gateway.url, PATH, token);
    await expect.poll(() => gateway.hub.sessions.size).toBe(2);
    const socket = io(`${gateway.url}/events`, { auth: { token }, forceNew: true });
    using _ = disconnecting(socket);
    const [error] = await once(socket as never, 'connect_error');
    expect(error).toMatchObject({ data: { code: 'too_many_connections' } });
  });

  test('[LIVE] gets no more connections by asking for many at once', async () => {
    await using gateway = await startGateway(LIMITED);
    const token = await tokenFor('alice');
    const headers = { authorization: `Bearer ${token}` };
    const url = `${gateway.url.replace('http', 'ws')}${PATH}`;
    const clients = Array.from({ length: 20 }, () => new WebSocket(url, { headers }));
    for (const each of clients) each.on('error', () => {}); // the gateway reports refusals
    using _ = {
      [Symbol.dispose]() {
        for (const each of clients) each.terminate();
      },
    };
    await expect.poll(() => refusals(gateway).length).toBe(18);
    expect(gateway.hub.sessions.size).toBe(2);
  });
});

describe('a full node', () => {
  const FULL = { AUTH_MODE: 'open', WEBSOCKET_MAX_CONNECTIONS: '1' };

  test('[AD.7] is not ready, and answers 503 before the upgrade to what a trusted proxy sends', async () => {
    await using gateway = await startGateway({ ...FULL, TRUSTED_PROXIES: 'loopback' });
    expect(gateway.unreadiness()).toEqual([]);
    using first = new RawClient(gateway.url, PATH);
    await expect.poll(() => first.of('connection')).toHaveLength(1);
    expect(gateway.unreadiness()).toEqual(['full']);
    const refusal = await refusalOf(gateway, PATH, { 'x-forwarded-for': '192.0.2.1' });
    expect(refusal?.statusCode).toBe(503);
    expect(refusal?.headers['retry-after']).toMatch(/^[1-5]$/);
    first[Symbol.dispose]();
    await expect.poll(() => gateway.unreadiness()).toEqual([]);
    using second = new RawClient(gateway.url, PATH);
    await expect.poll(() => second.of('connection')).toHaveLength(1);
  });

  test('[CC] [AD.7] accepts raw clients that no trusted proxy sends, and closes them with 1013', async () => {
    await using gateway = await startGateway({ ...FULL, TRUSTED_PROXIES: '192.0.2.0/24' });
    using first = new RawClient(gateway.url, PATH);
    await expect.poll(() => first.of('connection')).toHaveLength(1);
    using second = new RawClient(gateway.url, PATH);
    expect(await second.closed).toEqual({ code: CLOSE.tryAgainLater, reason: 'this node is full' });
  });

  test.for(['websocket', 'polling'])(
    '[IO6] refuses official clients over %s with 503, and they come back by themselves',
    async (transport) => {
      await using gateway = await startGateway(FULL);
      using first = new RawClient(gateway.url, PATH);
      await expect.poll(() => first.of('connection')).toHaveLength(1);
      const auth = { token: await tokenFor('alice') };
      const options = { auth, transports: [transport], forceNew: true, reconnectionDelay: 50 };
      const socket = io(`${gateway.url}/events`, options);
      using _ = disconnecting(socket);
      await once(socket as never, 'connect_error');
      expect(refusals(gateway)).toContain('unavailable');
      first[Symbol.dispose]();
      await expect.poll(() => socket.connected, { timeout: 5000 }).toBe(true);
    },
  );

  test('[LIVE] has room for health checks', async () => {
    await using gateway = await startGateway(FULL);
    using first = new RawClient(gateway.url, PATH);
    await expect.poll(() => first.of('connection')).toHaveLength(1);
    const answers = await Promise.all([1, 2, 3].map(() => fetch(`${gateway.url}/none`)));
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
  });
});

describe('a connection without a token', () => {
  test('[CNT] [AD.8] counts as joining until it joins', async () => {
    await using gateway = await startGateway();
    using client = await EngineClient.open(gateway.url);
    await expect.poll(() => joining(gateway, 'socketio')).toBe(1);
    client.say(`40/events,${JSON.stringify({ token: 'wrong' })}`);
    await expect.poll(() => client.packets.some((each) => each.startsWith('44/events'))).toBe(true);
    expect(joining(gateway, 'socketio')).toBe(1);
    client.say(`40/events,${JSON.stringify({ token: await tokenFor('alice') })}`);
    await expect.poll(() => client.of('connected')).toHaveLength(1);
    expect(joining(gateway, 'socketio')).toBe(0);
  });

  test('[LIVE] [AD.9] is cut after 5 s', { timeout: 15_000 }, async () => {
    await using gateway = await startGateway();
    using client = await EngineClient.open(gateway.url);
    await expect.poll(() => client.closeCode, { timeout: 10_000 }).toBeDefined();
    expect(refusals(gateway)).toEqual(['join_timeout']);
    expect(joining(gateway, 'socketio')).toBe(0);
    await expect.poll(() => gateway.connections()).toBe(0);
  });

  test('[LIVE] [AD.10] makes room for the next one, and sessions are unharmed', async () => {
    await using gateway = await startGateway({ WEBSOCKET_MAX_JOINING: '3' });
    const token = await tokenFor('alice');
    using member = new RawClient(gateway.url, PATH, token);
    await expect.poll(() => member.of('connection')).toHaveLength(1);
    const idle: EngineClient[] = [];
    for (let n = 0; n < 6; n += 1) idle.push(await EngineClient.open(gateway.url));
    using _ = {
      [Symbol.dispose]() {
        for (const each of idle) each[Symbol.dispose]();
      },
    };
    const isCut = () => idle.map(({ closeCode }) => closeCode !== undefined);
    await expect.poll(isCut).toEqual([true, true, true, false, false, false]);
    expect(joining(gateway, 'socketio')).toBe(3);
    using joiner = await EngineClient.open(gateway.url);
    joiner.say(`40/events,${JSON.stringify({ token })}`);
    await expect.poll(() => joiner.of('connected')).toHaveLength(1);
    expect(member.socket.readyState).toBe(WebSocket.OPEN);
  });

  test('[CNT] and without a request counts as joining, too', async () => {
    await using gateway = await startGateway();
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    using _ = { [Symbol.dispose]: () => void socket.destroy() };
    await expect.poll(() => joining(gateway, 'http')).toBe(1);
    using client = new RawClient(gateway.url, PATH, await tokenFor('alice'));
    await expect.poll(() => client.of('connection')).toHaveLength(1);
    expect(joining(gateway, 'http')).toBe(1);
    socket.destroy();
    await expect.poll(() => joining(gateway, 'http')).toBe(0);
  });

  test('[LIVE] [AD.11] does not delay clients whose token was verified before', async () => {
    await using gateway = await startGateway({ ADMISSION_RATE: '20', ADMISSION_BURST: '1' });
    const token = await tokenFor('alice');
    const first = new RawClient(gateway.url, PATH, token);
    await expect.poll(() => first.of('connection')).toHaveLength(1);
    first[Symbol.dispose]();
    const polling = `${gateway.url}/socket.io/?EIO=4&transport=polling`;
    const crowd = Promise.all(Array.from({ length: 100 }, () => fetch(polling)));
    await expect.poll(() => refusals(gateway).length).toBeGreaterThan(50);
    using second = new RawClient(gateway.url, PATH, token);
    await expect.poll(() => second.of('connection')).toHaveLength(1);
    expect(gateway.hub.counters.of('socketio').opening).toBeGreaterThan(0);
    await crowd;
  });
});

describe('an address', () => {
  const LIMITED = {
    AUTH_MODE: 'open',
    MAX_CONNECTIONS_PER_ADDRESS: '2',
    TRUSTED_PROXIES: 'loopback',
  };
  const from = (address: string) => ({ 'x-forwarded-for': `forged, ${address}` });

  test('[AD.2] [AD.4] with as many connections as allowed is refused with 429 on every transport', async () => {
    await using gateway = await startGateway(LIMITED);
    const url = gateway.url.replace('http', 'ws');
    const headers = from('192.0.2.1');
    const raw = new WebSocket(`${url}${PATH}`, { headers });
    await once(raw, 'open');
    const polling = `${gateway.url}/socket.io/?EIO=4&transport=polling`;
    expect((await fetch(polling, { headers })).status).toBe(200);
    const statuses = async (others: Record<string, string>) => [
      (await refusalOf(gateway, PATH, others))?.statusCode,
      (await refusalOf(gateway, ENGINE_PATH, others))?.statusCode,
    ];
    expect(await statuses(headers)).toEqual([429, 429]);
    const refused = await fetch(polling, { headers });
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toMatch(/^[1-5]$/);
    expect(await statuses(from('192.0.2.2'))).toEqual([undefined, undefined]);
    raw.terminate();
    await expect.poll(() => statuses(headers)).toEqual([undefined, undefined]);
  });

  test('[LIVE] has its place back from every handshake that fails', async () => {
    await using gateway = await startGateway({ ...LIMITED, AUTH_MODE: 'required' });
    const polling = `${gateway.url}/socket.io/?EIO=4&transport=polling`;
    for (let n = 0; n < 5; n += 1) {
      expect((await refusalOf(gateway, PATH, from('192.0.2.1')))?.statusCode).toBe(401);
      const foreign = { ...from('192.0.2.1'), origin: 'https://evil.example' };
      expect((await fetch(polling, { headers: foreign })).status).toBe(403);
      expect((await refusalOf(gateway, ENGINE_PATH, foreign))?.statusCode).toBe(403);
    }
  });
});
