import {
  CLOSE_TIMEOUT_MS,
  type Clock,
  type Heartbeats,
  InputBudget,
  type InputContext,
} from '@leque/core';
import type { Socket } from 'socket.io';
import type { EnginePacket } from '../wire/binary-packets.ts';
import { isConnect, namespaceOf } from '../wire/connect-packets.ts';
import { isEmpty } from './direct-path.ts';
import { type HeartbeatSocket, takeHeartbeat } from './engine-heartbeats.ts';
import { gatePolling } from './polling-gate.ts';
import {
  type EngineServer,
  type EngineSocket,
  type EngineTransportInternals,
  engineOf,
  transportSocketOf,
} from './private-fields.ts';

/** Takes what a client sends, and learns what becomes of its connection. */
export interface SocketReader {
  /** Called with every packet, before Socket.IO sees it. */
  packet(packet: EnginePacket): void;
  /** Called when the client goes on sending more than its budget. */
  flooded(): void;
  /** Called with an event and its arguments, the last of which may be a callback. */
  event(args: readonly unknown[]): void;
  /** Called once Socket.IO has sent the client that it is connected. */
  begin(): void;
  /** Called when the connection is gone, also before `begin`. */
  closed(): void;
  /** Called when the client has left the namespace, or is gone. */
  disconnected(reason: string): void;
  /** Called when the client has changed to a WebSocket. */
  upgraded(): void;
  /** Sends the number of connections that the user has in the cluster. */
  sendConnections(count: number): void;
}

/** An Engine.IO socket with what this transport needs on it, so that all sockets share listeners. */
export type StatefulSocket = HeartbeatSocket & {
  /** Characters that Engine.IO holds for the client. */
  queuedLength: number;
  /** Whether the client has joined the namespace, or is about to. */
  joins: boolean;
  /** CONNECT packets that the client has sent. */
  connects: number;
  /** Whether there is a verdict on the client, after which nothing from it is parsed. */
  stopped: boolean;
  /** What a client of polling may still send; a WebSocket has a budget of its own. */
  input: InputBudget | undefined;
  reader: SocketReader | undefined;
  /** The tasks that `runByItsEnd` still has to run; undefined for most clients. */
  waiting: Set<() => void> | undefined;
  /** Takes the answer to a ping; see `CarriedConnection`. */
  pong(): boolean;
  /** Closes a client that goes on sending more than its budget. */
  flooded(): void;
  /** Called when the client has left the namespace; it may join again. */
  left(): void;
};

export interface StateDeps {
  /** A client for which Engine.IO queues more characters is closed. */
  readonly maxQueued: number;
  readonly heartbeats: Heartbeats<HeartbeatSocket>;
  readonly input: InputContext;
  /** Called when a client has left the namespace, and keeps its connection. */
  readonly left: (conn: EngineSocket) => void;
  /** Called when a connection is gone, before its reader. */
  readonly gone: (conn: EngineSocket) => void;
}

/** Namespaces that a client may join; some clients join `/`, which serves nothing, beside `/events`. */
const SERVED: ReadonlySet<string> = new Set(['/', '/events']);
/** CONNECT packets of one connection: a few attempts with other tokens, and the root namespace. */
const MAX_CONNECTS = 8;

/**
 * Makes a listener that attaches the state to a new connection. Engine.IO queues without a limit,
 * also for clients that have no session yet, so that a connection is closed beyond `maxQueued`.
 */
export function attachState({
  maxQueued,
  heartbeats,
  input,
  left,
  gone,
}: StateDeps): (conn: EngineSocket) => void {
  function onPacketCreate(this: StatefulSocket, { data }: { data?: string | Buffer }): void {
    if (isEmpty(this)) this.queuedLength = 0;
    this.queuedLength += data?.length ?? 0;
    if (this.queuedLength > maxQueued) this.close(true);
  }
  function onPacket(this: StatefulSocket, packet: EnginePacket): void {
    if (this.stopped) return;
    heartbeats.heard(this);
    if (!isWithinBudget(this, packet)) this.flooded();
    else if (isConnect(packet)) judgeConnect(this, packet, input);
    else this.reader?.packet(packet);
  }
  function onPong(this: StatefulSocket): boolean {
    if (!this.pinged) return false;
    this.pinged = false;
    heartbeats.heard(this);
    return true;
  }
  function onLeft(this: StatefulSocket): void {
    this.reader = undefined;
    this.joins = false;
    left(this);
  }
  function onClose(this: StatefulSocket): void {
    heartbeats.remove(this);
    gone(this);
    for (const run of this.waiting ?? []) run();
    this.reader?.closed();
  }
  return (conn) => {
    const webSocket = transportSocketOf(engineOf(conn).transport);
    const fields = { queuedLength: 0, joins: false, connects: 0, stopped: false };
    const heartbeat = { pinged: false, heardAt: 0, beatsAt: 0 };
    const socket: StatefulSocket = Object.assign(conn, fields, heartbeat, {
      reader: undefined,
      waiting: undefined,
      input: webSocket === undefined ? new InputBudget(input) : undefined,
      pong: onPong,
      flooded: onFlooded,
      left: onLeft,
    });
    if (webSocket === undefined) gatePolling(socket);
    else webSocket.connection = socket;
    socket.on('packetCreate', onPacketCreate).on('packet', onPacket);
    socket.on('close', onClose).on('upgrade', onUpgrade);
    if (takeHeartbeat(socket)) heartbeats.add(socket);
  };
}

/** The connection of a socket, to which its state was attached. */
export function stateOf({ conn }: { readonly conn: EngineSocket }): StatefulSocket {
  return conn as StatefulSocket;
}

/** The connection with this id; undefined for an unknown one. */
export function stateById(engine: EngineServer, id: string): StatefulSocket | undefined {
  const { clients } = engine as unknown as { clients: Readonly<Record<string, StatefulSocket>> };
  return Object.hasOwn(clients, id) ? clients[id] : undefined;
}

/** Lets `reader` know from now on what the socket's client does. */
export function bindReader(socket: Socket, reader: SocketReader): void {
  stateOf(socket).reader = reader;
  socket.onAny(onEvent);
  socket.on('disconnect', onDisconnect);
}

/** Reads and parses nothing more of a client on whom there is a verdict. */
export function stopReading(conn: EngineSocket): void {
  (conn as StatefulSocket).stopped = true;
  transportSocketOf(engineOf(conn).transport)?.stop();
}

interface Wait {
  readonly clock: Clock;
  readonly ms: number;
}

/** Runs `task` once: after `ms`, or when the connection ends before. */
export function runByItsEnd(conn: StatefulSocket, { clock, ms }: Wait, task: () => void): void {
  const cancel = clock.after(conn.readyState === 'closed' ? 0 : ms, run);
  conn.waiting ??= new Set();
  conn.waiting.add(run);
  function run(): void {
    cancel();
    conn.waiting?.delete(run);
    if (conn.waiting?.size === 0) conn.waiting = undefined;
    task();
  }
}

/** Charges a polling packet of Engine.IO 3; `gatePolling` charges those of Engine.IO 4. */
function isWithinBudget({ input, protocol }: StatefulSocket, { data }: EnginePacket): boolean {
  if (input === undefined || protocol !== 3) return true;
  input.take(1, data?.length ?? 0);
  return input.verdict() !== 'close';
}

/** Socket.IO itself would answer any number of CONNECTs, to any namespace. */
function judgeConnect(conn: StatefulSocket, packet: EnginePacket, { clock }: InputContext): void {
  conn.connects += 1;
  const isServed = SERVED.has(namespaceOf(packet)) || conn.joins;
  if (isServed && conn.connects <= MAX_CONNECTS) return;
  stopReading(conn);
  queueMicrotask(() => conn.close()); // by then Socket.IO has answered
  // Engine.IO would wait until a polling client misses its heartbeat.
  runByItsEnd(conn, { clock, ms: CLOSE_TIMEOUT_MS }, () => conn.close(true));
}

function onFlooded(this: StatefulSocket): void {
  if (this.reader !== undefined) this.reader.flooded();
  else if (this.input !== undefined) this.close(true);
}

function onUpgrade(this: StatefulSocket, transport: EngineTransportInternals): void {
  const socket = transportSocketOf(transport);
  if (socket !== undefined) socket.connection = this;
  this.input = undefined;
  this.reader?.upgraded();
}

function onEvent(this: Socket, ...args: unknown[]): void {
  stateOf(this).reader?.event(args);
}

function onDisconnect(this: Socket, reason: string): void {
  stateOf(this).reader?.disconnected(reason);
}
