import type { Server as HttpServer } from 'node:http';
import {
  type Heartbeats,
  inputContext,
  type Transport,
  type TransportContext,
  type TransportCounter,
} from '@leque/core';
import type { Namespace, Server, Socket } from 'socket.io';
import { serveClientFiles } from './connecting/client-files.ts';
import { countAtAddress, paceHandshakes } from './connecting/handshakes.ts';
import { registerJoin } from './connecting/join.ts';
import { Joiners } from './connecting/joiners.ts';
import { refuseForeignPages } from './connecting/origins.ts';
import { refuseOthers } from './connecting/paths.ts';
import { paceRequests } from './connecting/requests.ts';
import { serveRoot } from './connecting/root-namespace.ts';
import type { SocketIoContext, SocketIoOptions } from './context.ts';
import { attachState, stateOf } from './internals/connection-state.ts';
import { type HeartbeatSocket, startEngineHeartbeats } from './internals/engine-heartbeats.ts';
import { forgetResponses } from './internals/forget-requests.ts';
import type { EngineSocket } from './internals/private-fields.ts';
import { SocketSlimmer } from './internals/socket-slimmer.ts';
import { tryLibraries } from './internals/trial.ts';
import { keepsOffsets } from './recovery/offset-keepers.ts';
import { createServer, heartbeatTimes } from './server.ts';
import { roomOf } from './session/socketio-session.ts';
import { NAMESPACE, TRANSPORT } from './wire/socketio-format.ts';

/** The path of Engine.IO's requests on the HTTP server. */
export const SOCKET_IO_PATH = '/socket.io/';

interface Running {
  readonly io: Server;
  readonly events: Namespace;
  readonly heartbeats: Heartbeats<HeartbeatSocket>;
}

/** Serves Socket.IO clients in one namespace. */
export class SocketIoTransport implements Transport<{ readonly server: HttpServer }> {
  readonly name = TRANSPORT;
  readonly counters: readonly TransportCounter[];
  readonly #context: TransportContext;
  readonly #options: SocketIoOptions;
  readonly #writes = { direct: 0, engine: 0 };
  #running: Running | undefined;

  constructor(context: TransportContext, options: SocketIoOptions) {
    this.#context = context;
    this.#options = options;
    this.counters = [
      {
        name: 'direct_writes',
        help: 'Writes straight to the sockets of Socket.IO clients',
        read: () => this.#writes.direct,
      },
      {
        name: 'engine_writes',
        help: 'Writes to Socket.IO clients through Engine.IO',
        read: () => this.#writes.engine,
      },
    ];
  }

  async start({ server }: { readonly server: HttpServer }): Promise<void> {
    const io = createServer(server, this.#context, this.#options);
    serveRoot(io, this.#context.clock);
    const events = io.of(NAMESPACE);
    serveClientFiles(io.engine, SOCKET_IO_PATH);
    refuseOthers(io.engine, { path: SOCKET_IO_PATH, engineIo3: this.#options.engineIo3 });
    refuseForeignPages(io.engine, this.#context);
    paceHandshakes(io.engine, this.#context);
    paceRequests(io.engine, {
      clock: this.#context.clock,
      maxBodyBytes: this.#context.limits.maxMessageBytes,
    });
    forgetResponses(io.engine);
    const context = await this.#tryLibraries(io);
    const joiners = new Joiners(this.#context);
    registerJoin(events, context, joiners);
    const heartbeats = startEngineHeartbeats(heartbeatTimes(context.limits), context);
    io.engine.on(
      'connection',
      attachState({
        maxQueued: 2 * context.limits.outboxMaxBytes,
        heartbeats,
        input: inputContext(TRANSPORT, context),
        left: (conn) => joiners.await(conn),
        gone: (conn) => joiners.forget(conn),
      }),
    );
    io.engine.on('connection', (conn: EngineSocket) => {
      countAtAddress(conn);
      joiners.await(conn);
    });
    events.on('connection', (socket: Socket) => stateOf(socket).reader?.begin());
    this.#running = { io, events, heartbeats };
  }

  userConnectionsChanged(userId: string, connections: number): void {
    if (this.#running === undefined) return;
    const { adapter, sockets } = this.#running.events;
    for (const socketId of adapter.rooms.get(roomOf(userId)) ?? []) {
      const socket = sockets.get(socketId);
      if (socket !== undefined) stateOf(socket).reader?.sendConnections(connections);
    }
  }

  async close(): Promise<void> {
    this.#running?.heartbeats.close();
    await this.#running?.io.close();
  }

  /** Does without the shortcuts that the installed versions of the libraries do not allow. */
  async #tryLibraries({ engine }: Server): Promise<SocketIoContext> {
    const { telemetry } = this.#context;
    const { recovery, offsetsFor } = this.#options;
    const problems = await tryLibraries(engine);
    const report = (part: string, detail: string | undefined) => {
      if (detail !== undefined) telemetry.report({ type: 'degraded', part, detail });
    };
    const reportConnections = (detail: string) => report('socketio_connections', detail);
    report('socketio_direct_path', problems.directPath);
    report('socketio_input', problems.input);
    report('socketio_connections', problems.connections);
    const canRecover = recovery !== undefined && problems.recovery === undefined;
    if (recovery !== undefined) report('socketio_recovery', problems.recovery);
    return {
      ...this.#context,
      recovery: canRecover ? recovery : undefined,
      keepsOffsets: (handshake) =>
        canRecover && (offsetsFor === 'all' || keepsOffsets(handshake, this.#context.clock.now())),
      direct: problems.directPath === undefined,
      slimmer:
        problems.connections === undefined ? new SocketSlimmer(reportConnections) : undefined,
      writes: this.#writes,
    };
  }
}
