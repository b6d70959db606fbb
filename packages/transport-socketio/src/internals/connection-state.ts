import type { Heartbeats } from '@leque/core';
import type { Socket } from 'socket.io';
import type { EnginePacket } from '../wire/binary-packets.ts';
import { isEmpty } from './direct-path.ts';
import { type HeartbeatSocket, takeHeartbeat } from './engine-heartbeats.ts';
import type { EngineSocket } from './private-fields.ts';

/** Takes what a client sends, and learns what becomes of its connection. */
export interface SocketReader {
  /** Called with every packet, before Socket.IO sees it. */
  packet(packet: EnginePacket): void;
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
  reader: SocketReader | undefined;
};

/**
 * Makes a listener that attaches the state to a new connection. Engine.IO queues without a limit,
 * also for clients that have no session yet, so that a connection is closed beyond `maxQueued`.
 * @param gone called when the connection is gone, before its reader
 */
export function attachState(
  maxQueued: number,
  heartbeats: Heartbeats<HeartbeatSocket>,
  gone: (conn: EngineSocket) => void,
): (conn: EngineSocket) => void {
  function onPacketCreate(this: StatefulSocket, { data }: { data?: string | Buffer }): void {
    if (isEmpty(this)) this.queuedLength = 0;
    this.queuedLength += data?.length ?? 0;
    if (this.queuedLength > maxQueued) this.close(true);
  }
  function onPacket(this: StatefulSocket, packet: EnginePacket): void {
    heartbeats.heard(this);
    this.reader?.packet(packet);
  }
  function onClose(this: StatefulSocket): void {
    heartbeats.remove(this);
    gone(this);
    this.reader?.closed();
  }
  return (conn) => {
    const fields = { queuedLength: 0, joins: false, reader: undefined, heardAt: 0, beatsAt: 0 };
    const socket: StatefulSocket = Object.assign(conn, fields);
    socket.on('packetCreate', onPacketCreate).on('packet', onPacket);
    socket.on('close', onClose).on('upgrade', onUpgrade);
    if (takeHeartbeat(socket)) heartbeats.add(socket);
  };
}

/** The connection of a socket, to which its state was attached. */
export function stateOf({ conn }: { readonly conn: EngineSocket }): StatefulSocket {
  return conn as StatefulSocket;
}

/** Lets `reader` know from now on what the socket's client does. */
export function bindReader(socket: Socket, reader: SocketReader): void {
  stateOf(socket).reader = reader;
  socket.onAny(onEvent);
  socket.on('disconnect', onDisconnect);
}

function onUpgrade(this: StatefulSocket): void {
  this.reader?.upgraded();
}

function onEvent(this: Socket, ...args: unknown[]): void {
  stateOf(this).reader?.event(args);
}

function onDisconnect(this: Socket, reason: string): void {
  stateOf(this).reader?.disconnected(reason);
}
