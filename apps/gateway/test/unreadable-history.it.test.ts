import { MemoryBroker, MemoryStore } from '@leque/broker-memory';
import type { HistoryPage } from '@leque/core';
import { ProtocolError, toCursor } from '@leque/protocol';
import { io, type Socket } from 'socket.io-client';
import { expect, test } from 'vitest';
import { memoryLimits, startGateway, tokenFor } from './support/gateway.ts';
import { RawClient } from './support/raw-client.ts';

const P = 'project:P';
const PATIENCE = { timeout: 20_000 };

/** A broker that cannot read the history of one channel for a while. */
class ForgetfulBroker extends MemoryBroker {
  unreadable = true;
  asked = 0;

  override async history(...asked: Parameters<MemoryBroker['history']>): Promise<HistoryPage> {
    this.asked += 1;
    if (asked[0] === P && this.unreadable) throw new ProtocolError('unavailable', 'Redis is away');
    return super.history(...asked);
  }
}

interface Comer extends Disposable {
  /** The numbers that it has received in the channel. */
  readonly seen: readonly unknown[];
  /** How the connection ended; undefined while it is open. */
  readonly ended: string | undefined;
}

interface Node {
  readonly url: string;
  readonly token: string;
  readonly cursor: string;
}

/** Each way of presenting a cursor on a raw connection. */
const RAW = {
  'subscribe on /ws/notifications': (cursor: string) => [
    '/ws/notifications?resume=1',
    { action: 'subscribe', project_id: 'P', since: cursor },
  ],
  'subscribe on /ws/project/P': (cursor: string) => [
    '/ws/project/P?resume=1',
    { action: 'subscribe', project_id: 'P', since: cursor },
  ],
  'resume on /ws/project/P': (cursor: string) => [
    '/ws/project/P?resume=1',
    { action: 'resume', cursors: { [P]: cursor } },
  ],
  'resume of two channels': (cursor: string) => [
    '/ws/notifications?resume=1',
    { action: 'resume', cursors: { all: 'e.0', [P]: cursor } },
  ],
} as const satisfies Record<string, (cursor: string) => readonly [string, object]>;

function comeRaw(way: keyof typeof RAW, { url, token, cursor }: Node): Comer {
  const [path, command] = RAW[way](cursor);
  const client = new RawClient(url, path, token);
  client.socket.once('open', () => client.say(command));
  let ended: string | undefined;
  void client.closed.then(({ code, reason }) => {
    ended = `${code} ${reason}`;
  });
  return {
    get seen() {
      return client.of('x').map(({ data }) => data['n']);
    },
    get ended() {
      return ended;
    },
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

/** Each way of presenting a cursor over Socket.IO. */
const SOCKET_IO = ['auth.cursors', 'subscribe.project'] as const;

function comeBySocketIo(way: (typeof SOCKET_IO)[number], { url, token, cursor }: Node): Comer {
  const cursors = way === 'auth.cursors' ? { [P]: cursor } : {};
  const socket: Socket = io(`${url}/events`, {
    auth: { token, cursors },
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
  });
  const seen: unknown[] = [];
  let ended: string | undefined;
  socket.on('x', ({ data }) => seen.push(data.n));
  socket.on('connected', () => {
    if (way === 'subscribe.project') {
      socket.emit('subscribe.project', { project_id: 'P', since: cursor });
    }
  });
  socket.io.on('close', (reason) => {
    ended = reason;
  });
  return {
    seen,
    get ended() {
      return ended;
    },
    [Symbol.dispose]: () => void socket.disconnect(),
  };
}

test('[GAP] [RE3] [RE4.1] [RE4.2] [IO8.13] whichever way a cursor is presented, an unknown outcome ends the connection, nothing newer comes before, and the same cursor works again', {
  timeout: 60_000,
}, async () => {
  const store = new MemoryStore(memoryLimits());
  const broker = new ForgetfulBroker(store);
  await using gateway = await startGateway({}, { broker });
  const publish = (n: number) => gateway.publish({ type: 'x', data: { n }, project_id: 'P' });
  await publish(1);
  const position = store.position(P);
  const token = await tokenFor('alice', { projects: ['P'] });
  const node = {
    url: gateway.url,
    token,
    cursor: position === undefined ? '' : toCursor(position),
  };
  const comeAll = () => {
    const raw = Object.keys(RAW).map((way) => comeRaw(way as keyof typeof RAW, node));
    return [...raw, ...SOCKET_IO.map((way) => comeBySocketIo(way, node))];
  };
  for (const n of [2, 3]) await publish(n);

  const first = comeAll();
  await expect.poll(() => gateway.hub.sessions.size, PATIENCE).toBe(first.length);
  let last = 3;
  const publishMore = async () => {
    last += 1;
    await publish(last);
    return gateway.hub.sessions.size;
  };
  await expect.poll(publishMore, PATIENCE).toBe(0);
  await expect
    .poll(() => first.map(({ ended }) => ended !== undefined), PATIENCE)
    .not.toContain(false);
  const raw = first.slice(0, Object.keys(RAW).length);
  expect(raw.map(({ ended }) => ended)).toEqual(
    raw.map(() => '1013 what was missed in project:P cannot be read now'),
  );
  expect(first.map(({ seen }) => seen)).toEqual(first.map(() => []));
  for (const each of first) each[Symbol.dispose]();

  broker.unreadable = false;
  const again = comeAll();
  const all = Array.from({ length: last - 1 }, (_, index) => index + 2);
  await expect.poll(() => again.map(({ seen }) => seen), PATIENCE).toEqual(again.map(() => all));
  for (const each of again) each[Symbol.dispose]();
});

test('[RE3.3] a history that cannot be read does not delay the channels that its command does not name', async () => {
  const broker = new ForgetfulBroker(new MemoryStore(memoryLimits()));
  await using gateway = await startGateway({}, { broker });
  const token = await tokenFor('alice', { projects: ['P', 'Q'] });
  using client = new RawClient(gateway.url, '/ws/notifications', token);
  await expect.poll(() => client.of('connection')).toHaveLength(1);
  client.say({ action: 'resume', cursors: { [P]: 'e.0' } });
  await expect.poll(() => broker.asked).toBeGreaterThan(0);
  await gateway.publish({ type: 'x', data: { n: 1 }, project_id: 'P' });
  await gateway.publish({ type: 'x', data: { n: 2 }, project_id: 'Q' });
  await expect.poll(() => client.of('x').map(({ data }) => data['n'])).toEqual([2]);
  expect(client.of('resumed')).toEqual([]);
});
