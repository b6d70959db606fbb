import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import {
  type Clock,
  type FanOutCounters,
  Joining,
  reportRefusal,
  type Telemetry,
} from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import { LISTEN_BACKLOG } from '@leque/service';

/** The name in metrics of connections that belong to no transport yet. */
const TRANSPORT = 'http';
/** As many as the kernel may hand over at once, before any of their requests can be read. */
const ACCEPTED_AT_ONCE = LISTEN_BACKLOG;
/** Enough for health checks and metrics. */
const WITHOUT_DESCRIPTORS = 8;

export interface HalfOpenDeps {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly counters: FanOutCounters;
  readonly isOutOfDescriptors: () => boolean;
  /** Places that nobody uses. */
  readonly places: () => number;
}

/**
 * Counts the connections of a server that have no request under way and are no WebSocket, and cuts
 * the oldest of them when there are too many. Node itself cuts those whose request does not arrive
 * in time.
 */
export function watchHalfOpen(server: Server, deps: HalfOpenDeps): void {
  const counters = deps.counters.of(TRANSPORT);
  const places = () =>
    deps.isOutOfDescriptors() ? WITHOUT_DESCRIPTORS : ACCEPTED_AT_ONCE + Math.max(0, deps.places());
  const halfOpen = new Joining(deps.clock, places);
  const watched = new WeakSet<Socket>();

  function wait(socket: Socket): void {
    halfOpen.add(socket, { counters, cut: () => cut(socket, deps.telemetry) });
  }
  function forget(this: Socket): void {
    halfOpen.remove(this);
  }
  server.on('connection', (socket) => {
    watched.add(socket);
    socket.on('close', forget);
    wait(socket);
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    halfOpen.remove(socket);
    response.once('close', () => {
      if (watched.has(socket) && !socket.destroyed) wait(socket); // it is kept for another request
    });
  });
  server.on('upgrade', ({ socket }: IncomingMessage) => {
    halfOpen.remove(socket);
    watched.delete(socket);
    socket.removeListener('close', forget); // nothing is kept for as long as a WebSocket lives
  });
}

function cut(socket: Socket, telemetry: Telemetry): void {
  const error = new ProtocolError('overloaded', 'too many connections without a request');
  reportRefusal(telemetry, TRANSPORT, error);
  socket.destroy();
}
