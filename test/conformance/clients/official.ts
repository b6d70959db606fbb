import { CLIENTS, type ClientVersion, Inbox } from '@leque/lab';
import io2 from 'socket.io-client-2.5.0';
import type { ForeignClient, Place, Received, RunningClient } from './foreign-client.ts';

type Payload = Readonly<Record<string, unknown>>;
type Socket = ReturnType<(typeof CLIENTS)['newest']>;

const QUICK = { forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 100 };
const EVENTS = ['connected', 'connections.count', 'pong', 'resumed', 'subscribed.tasks', 'told'];

const SHARED = { also: ['connections.count'], concurrentHandlers: false, missing: undefined };
/** These recover by what the server lets them keep; older ones present cursors. */
const RECOVERING: readonly ClientVersion[] = ['4.6.0', 'newest'];

/** Every version of the official client, with its own reconnecting, and its default transports. */
export const OFFICIAL: readonly ForeignClient[] = [
  {
    name: 'socket.io-client 2.5.0',
    answer: 'subscribed.tasks', // this version reserves the name `ping`
    ...SHARED,
    start: startVersion2,
  },
  ...(Object.keys(CLIENTS) as ClientVersion[]).map((version) => ({
    name: `socket.io-client ${version}`,
    answer: 'pong',
    ...SHARED,
    start: (place: Place) => startNewer(version, place),
  })),
];

/** It has no `auth`: what a client presents is in the query, which is read anew for each connection. */
function startVersion2({ gateway, token }: Place): RunningClient {
  const query: Record<string, string> = { token };
  const socket = io2(`${gateway}/events`, { ...QUICK, query });
  return record(socket, {
    greet: () => socket.emit('subscribe.tasks', {}),
    remember: (cursors) => {
      query['cursors'] = JSON.stringify(cursors);
    },
  });
}

function startNewer(version: ClientVersion, { gateway, token }: Place): RunningClient {
  let cursors: object | undefined;
  const socket = CLIENTS[version](`${gateway}/events`, {
    ...QUICK,
    auth: (present) => present({ token, ...(cursors && { cursors }) }),
  });
  return record(socket, {
    greet: () => socket.emit('ping', { n: 1 }),
    remember: (all) => {
      if (!RECOVERING.includes(version)) cursors = all;
    },
  });
}

interface Manners {
  /** Sends the first command of a connection. */
  greet(): void;
  /** Keeps cursors for the next connection. */
  remember(cursors: object): void;
}

function record(socket: Pick<Socket, 'on' | 'disconnect'>, manners: Manners): RunningClient {
  const inbox = new Inbox<Received>();
  const cursors: Record<string, string> = {};
  for (const type of EVENTS) {
    socket.on(type, (payload: Payload) => {
      const { channel, cursor } = payload;
      if (typeof channel === 'string') cursors[channel] = String(cursor);
      if (typeof channel === 'string') manners.remember(cursors);
      inbox.put({ ...payload, type });
      if (type === 'connected') manners.greet();
    });
  }
  socket.on('disconnect', () => inbox.put({ type: 'disconnect' }));
  return {
    inbox,
    async [Symbol.asyncDispose]() {
      socket.disconnect();
    },
  };
}
