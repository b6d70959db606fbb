import type { Server as HttpServer, IncomingMessage } from 'node:http';
import {
  bearerToken,
  CLOSE_TIMEOUT_MS,
  type Identity,
  isOriginAllowed,
  MAX_FRAGMENTS,
} from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import { type Namespace, Server, type Socket } from 'socket.io';
import { type ServerOptions, WebSocketServer } from 'ws';
import type { SocketIoContext } from './context.ts';
import { paceHandshakes } from './handshakes.ts';
import { findDirectPathProblem, forgetResponses } from './internals/direct-path.ts';
import { startEngineHeartbeats } from './internals/engine-heartbeats.ts';
import { Lightener } from './internals/lighten.ts';
import { TransportSocket } from './internals/socket-internals.ts';
import { watched, watcher } from './internals/watched-socket.ts';
import { cursorsOf } from './session/cursors.ts';
import type { SocketIoWriting } from './session/socketio-connection.ts';
import { roomOf, SocketIoSession } from './session/socketio-session.ts';
import { NAMESPACE, offsetFormat, plainFormat } from './wire/socketio-format.ts';

/** A client that has not joined the namespace by then is not going to. */
const JOIN_DEADLINE_MS = 10_000;
const MIN_PING_TIMEOUT_MS = 1000;

/** As Engine.IO makes it, but for a client that does not answer a close: it may not read at all. */
class ClosingServer extends WebSocketServer {
  constructor(options: ServerOptions) {
    // Not in the types.
    const limits = { closeTimeout: CLOSE_TIMEOUT_MS, maxFragments: MAX_FRAGMENTS };
    super({ ...options, ...limits, WebSocket: TransportSocket });
  }
}

const DRAINING = 'this node is being replaced';
const ROOT_HINT = `the root namespace serves nothing; connect to ${NAMESPACE}: io("https://HOST${NAMESPACE}")`;

type UserIdentity = Identity & { readonly userId: string };

export interface SocketIoTransport {
  /** Writes straight to the socket and through Engine.IO, since the start of the process. */
  readonly writes: Readonly<{ direct: number; engine: number }>;
  /** Tells the sockets of a user on this node how many connections it has in the cluster. */
  announceConnections(userId: string, connections: number): void;
  /** Ends what is left; sessions are moved away before. */
  close(): Promise<void>;
}

/** Serves Socket.IO clients beside whatever else the HTTP server serves. */
export function serveSocketIo(server: HttpServer, context: SocketIoContext): SocketIoTransport {
  const { limits, adapter } = context;
  const pingInterval = limits.heartbeatIntervalMs;
  const pingTimeout = Math.max(limits.timeoutMs - pingInterval, MIN_PING_TIMEOUT_MS);
  const io = new Server(server, {
    ...(adapter && { adapter }),
    allowEIO3: limits.engineIo3,
    allowRequest: (request, decide) => {
      const refusal = refusalOf(request, context);
      decide(refusal, refusal === undefined);
    },
    connectTimeout: JOIN_DEADLINE_MS,
    cors: {
      origin: (origin, decide) => decide(null, isOriginAllowed(context.origins, origin, undefined)),
      credentials: true,
    },
    // Other upgrades on this server are somebody else's.
    destroyUpgrade: false,
    maxHttpBufferSize: limits.maxMessageBytes,
    pingInterval,
    pingTimeout,
    serveClient: false,
    wsEngine: ClosingServer,
  });
  io.use((_socket, next) => next(new Error(ROOT_HINT)));
  const events: Namespace = io.of(NAMESPACE);
  paceHandshakes(io.engine, context);
  forgetResponses(io.engine);
  const problem = findDirectPathProblem(io.engine);
  if (problem !== undefined) {
    context.telemetry.report({ type: 'direct_path_unavailable', detail: problem });
  }
  const writing: SocketIoWriting = {
    clock: context.clock,
    writer: context.writer,
    direct: problem === undefined,
    format: context.recovery === undefined ? plainFormat : offsetFormat,
    lightener: new Lightener((detail) => {
      context.telemetry.report({ type: 'direct_path_unavailable', detail });
    }),
    counters: { direct: 0, engine: 0 },
  };
  guard(events, writing, context);
  const times = { intervalMs: pingInterval, timeoutMs: pingInterval + pingTimeout };
  const heartbeats = startEngineHeartbeats(times, writing);
  io.engine.on('connection', watcher(2 * limits.outboxMaxBytes, heartbeats));
  events.on('connection', (socket: Socket) => watched(socket).reader?.begin());
  return {
    writes: writing.counters,
    announceConnections(userId, count) {
      for (const socketId of events.adapter.rooms.get(roomOf(userId)) ?? []) {
        const socket = events.sockets.get(socketId);
        if (socket !== undefined) watched(socket).reader?.tellConnections(count);
      }
    },
    close() {
      heartbeats.close();
      return io.close();
    },
  };
}

/** Lets in who has a token, each connection once: Socket.IO takes several CONNECTs at a time (CNT). */
function guard(events: Namespace, writing: SocketIoWriting, context: SocketIoContext): void {
  events.use((socket, next) => {
    const conn = watched(socket);
    if (conn.joins) {
      conn.close();
      next(connectError(new ProtocolError('invalid_command', 'joins once only'), context));
      return;
    }
    conn.joins = true;
    join(socket, writing, context).then(
      () => next(),
      (error: unknown) => {
        conn.joins = false;
        // Official clients come back by themselves only when it is the transport that closes.
        if (context.isDraining() || isOverloaded(error)) conn.close();
        next(connectError(error, context));
      },
    );
  });
}

/** A session is opened before the client is told that it is connected. */
async function join(
  socket: Socket,
  writing: SocketIoWriting,
  context: SocketIoContext,
): Promise<void> {
  const identity = await authenticate(socket, context);
  const { conn } = socket;
  if (conn.readyState !== 'open') return;
  const session = new SocketIoSession({ socket, identity, writing }, context);
  try {
    await session.open();
  } catch (error) {
    // It comes back by itself, and keeps what it knows of its state.
    conn.close();
    throw error;
  }
}

/** @throws ProtocolError with the message that the client's `connect_error` shows */
async function authenticate(socket: Socket, context: SocketIoContext): Promise<UserIdentity> {
  const token = tokenOf(socket);
  if (token === undefined) {
    throw new ProtocolError(
      'token_missing',
      'a token is required: auth.token, Authorization: Bearer, or ?token=',
    );
  }
  const identity = await context.verifier.verify(token);
  if (context.isDraining()) throw new ProtocolError('draining', DRAINING);
  const { userId } = identity;
  if (userId === undefined) throw new ProtocolError('token_claim_invalid', 'no user in the token');
  if (context.hub.sessions.size >= context.limits.maxConnections) {
    throw new ProtocolError('unavailable', 'this node is full; try again later');
  }
  cursorsOf(socket.handshake.auth); // or it is refused
  return { ...identity, userId };
}

function tokenOf({ handshake }: Socket): string | undefined {
  const { token } = handshake.auth as { token?: unknown };
  const given = [token, handshake.query['token']].find(
    (value): value is string => typeof value === 'string' && value !== '',
  );
  return bearerToken(handshake.headers.authorization) ?? bearerToken(given) ?? given;
}

function isOverloaded(error: unknown): boolean {
  return error instanceof ProtocolError && error.code === 'overloaded';
}

/** Socket.IO's `cors` option guards polling only; this guards WebSockets as well. */
function refusalOf(request: IncomingMessage, context: SocketIoContext): string | undefined {
  const { origin, host } = request.headers;
  if (isOriginAllowed(context.origins, origin, host)) return undefined;
  const code = 'origin_forbidden';
  const detail = `origin ${origin} is not allowed`;
  context.telemetry.report({ type: 'connection_refused', transport: 'socketio', code, detail });
  return detail;
}

function connectError(error: unknown, { telemetry }: SocketIoContext): Error {
  if (!(error instanceof ProtocolError)) {
    telemetry.report({ type: 'failure', where: 'socket.io handshake', error });
    return new Error('internal error');
  }
  const { code, message: detail } = error;
  telemetry.report({ type: 'connection_refused', transport: 'socketio', code, detail });
  // Socket.IO sends `data` to the client beside the message.
  return Object.assign(new Error(detail), { data: { code } });
}
