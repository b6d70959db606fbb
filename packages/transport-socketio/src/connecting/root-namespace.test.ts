import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type Clock, systemClock } from '@leque/core';
import { Server } from 'socket.io';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { attachState } from '../internals/connection-state.ts';
import { TransportSocket } from '../internals/private-fields.ts';
import { serveRoot } from './root-namespace.ts';

class TransportServer extends WebSocketServer {
  constructor(options: object) {
    super({ ...options, WebSocket: TransportSocket as never });
  }
}

/** Its timers never fire, so that those which nobody cancels stay. */
class StoppedClock implements Clock {
  readonly now = systemClock.now;
  readonly monotonic = systemClock.monotonic;
  readonly defer = systemClock.defer;
  readonly timers = new Set<object>();
  /** Timers so far, cancelled ones included. */
  made = 0;

  after(): () => void {
    const timer = {};
    this.made += 1;
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  }
}

/** A server with one client that has not joined any namespace. */
async function connect() {
  const clock = new StoppedClock();
  const io = new Server(0, { wsEngine: TransportServer as never, pingInterval: 60_000 });
  serveRoot(io, clock);
  const heartbeats = { add() {}, heard() {}, remove() {} };
  const input = { clock };
  io.engine.on(
    'connection',
    attachState({ maxQueued: 1000, gone() {}, heartbeats, input } as never),
  );
  const { httpServer } = io as unknown as { httpServer: { address(): AddressInfo } };
  const { port } = httpServer.address();
  const client = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
  await once(client, 'open');
  return { io, clock, client, [Symbol.asyncDispose]: () => io.close() };
}

test.each([
  { what: 'waits in the root namespace', packets: ['40'] },
  { what: 'waits there eight times', packets: Array<string>(8).fill('40') },
  { what: 'is refused another namespace', packets: ['40/other,'] },
])('[LIVE] [MEM] nothing is left of a client that $what when it is gone', async ({ packets }) => {
  await using scene = await connect();
  const { io, clock, client } = scene;
  for (const packet of packets) client.send(packet);
  await expect.poll(() => clock.made).toBe(packets.length);
  client.terminate();
  await expect.poll(() => io.engine.clientsCount).toBe(0);
  await expect.poll(() => clock.timers.size).toBe(0);
  const { _preConnectSockets: waiting } = io.of('/') as unknown as {
    readonly _preConnectSockets: ReadonlyMap<string, unknown>;
  };
  await expect.poll(() => waiting.size).toBe(0);
});
