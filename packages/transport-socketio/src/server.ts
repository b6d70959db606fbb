import type { Server as HttpServer, IncomingMessage } from 'node:http';
import {
  CLOSE_TIMEOUT_MS,
  type HeartbeatTimes,
  type InputContext,
  inputContext,
  isOriginAllowed,
  JOIN_DEADLINE_MS,
  MAX_FRAGMENTS,
  type TransportContext,
  type TransportLimits,
} from '@leque/core';
import { Server } from 'socket.io';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import type { SocketIoOptions } from './context.ts';
import { TransportSocket } from './internals/private-fields.ts';
import { TRANSPORT } from './wire/socketio-format.ts';

/** The longest time to join: the client's own deadline, and as long for verifying its token. */
const CONNECT_TIMEOUT_MS = 2 * JOIN_DEADLINE_MS;
const MIN_PING_TIMEOUT_MS = 1000;

/** Engine.IO's WebSocket server, whose sockets have budgets, and cut clients that do not answer a close. */
function webSocketServer(input: InputContext) {
  // The types lack these.
  const limits = { closeTimeout: CLOSE_TIMEOUT_MS, maxFragments: MAX_FRAGMENTS, input };
  return class extends WebSocketServer {
    constructor(options: ServerOptions) {
      super({ ...options, ...limits, WebSocket: TransportSocket as unknown as typeof WebSocket });
    }
  };
}

/** Makes the Socket.IO server on `server`, beside whatever else that serves. */
export function createServer(
  server: HttpServer,
  context: TransportContext,
  { adapter, engineIo3 }: SocketIoOptions,
): Server {
  const { limits, origins, addresses } = context;
  const { intervalMs, timeoutMs } = heartbeatTimes(limits);
  return new Server(server, {
    ...(adapter && { adapter }),
    allowEIO3: engineIo3,
    connectTimeout: CONNECT_TIMEOUT_MS,
    cors: (request, decide) => {
      const names = addresses.namesOf(request as IncomingMessage);
      const origin = isOriginAllowed(origins, request.headers.origin, names);
      decide(null, { origin, credentials: true });
    },
    addTrailingSlash: false, // clients may leave it out, and some proxies do
    destroyUpgrade: false, // other transports take the other upgrades
    maxHttpBufferSize: limits.maxMessageBytes,
    pingInterval: intervalMs,
    pingTimeout: timeoutMs - intervalMs,
    serveClient: false,
    wsEngine: webSocketServer(inputContext(TRANSPORT, context)),
  });
}

/** Clients take the two as they are: the interval, and how long after it a ping may come. */
export function heartbeatTimes({
  heartbeatIntervalMs,
  pingIntervalMs,
  timeoutMs,
}: TransportLimits): HeartbeatTimes {
  const intervalMs = Math.min(heartbeatIntervalMs, pingIntervalMs);
  return {
    intervalMs,
    timeoutMs: intervalMs + Math.max(timeoutMs - intervalMs, MIN_PING_TIMEOUT_MS),
  };
}
