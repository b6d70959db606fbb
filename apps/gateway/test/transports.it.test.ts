import {
  type ConnectOptions,
  describeTransportContract,
  type TransportClient,
} from '@leque/testkit/contracts';
import { io } from 'socket.io-client';
import { describe, expect } from 'vitest';
import { startGateway, tokenFor } from './support/gateway.ts';
import { RawClient } from './support/raw-client.ts';

describe('raw WebSocket', () => {
  describeTransportContract({ name: 'ws', startNode: startGateway, tokenFor, connect: connectRaw });
});

describe('Socket.IO', () => {
  describeTransportContract({
    name: 'socketio',
    startNode: startGateway,
    tokenFor,
    connect: connectSocketIo,
  });
});

async function connectRaw(
  url: string,
  { token, cursors = {} }: ConnectOptions,
): Promise<TransportClient> {
  const client = new RawClient(url, '/ws/notifications?resume=1', token);
  const refused = client.closed.then(({ code }) => {
    throw new Error(`refused with ${code}`);
  });
  const opened = expect.poll(() => client.of('connection').length).toBe(1);
  await Promise.race([opened, refused]);
  refused.catch(() => {}); // from here on it is an end like any other
  client.say({ action: 'resume', cursors });
  const events = () => client.of('numbered') as unknown as TransportClient['events'];
  return {
    get events() {
      return events();
    },
    closed: client.closed,
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

async function connectSocketIo(
  url: string,
  { token, cursors = {} }: ConnectOptions,
): Promise<TransportClient> {
  const auth = { token, cursors };
  const socket = io(`${url}/events`, { auth, forceNew: true, reconnection: false });
  const events: TransportClient['events'][number][] = [];
  socket.on('numbered', (event) => events.push(event));
  const closed = new Promise((resolve) => socket.once('disconnect', resolve));
  await new Promise((resolve, reject) => {
    socket.once('connect_error', (error) => {
      socket.disconnect();
      reject(error);
    });
    socket.once('connected', resolve);
  });
  return { events, closed, [Symbol.dispose]: () => void socket.disconnect() };
}
