import type { Heartbeats } from '@leque/core';
import type { Socket } from 'socket.io';
import type { EnginePacket } from '../wire/binary-packets.ts';
import { isEmpty } from './direct-path.ts';
import { type BeatingSocket, takeHeartbeat } from './engine-heartbeats.ts';

type EngineSocket = Socket['conn'];

/** What becomes of what a client sends. */
export interface SocketReader {
  /** Every packet, before Socket.IO sees it. */
  packet(packet: EnginePacket): void;
  /** An event with its arguments, of which the last may be a callback. */
  event(args: readonly unknown[]): void;
  /** Its client has been told that it is connected. */
  begin(): void;
  /** The connection is gone, whether its client was ever told that it is connected or not. */
  closed(): void;
  /** The client has left the namespace, or is gone. */
  disconnected(reason: string): void;
  /** The client has changed to a WebSocket. */
  upgraded(): void;
  /** How many connections its user has in the cluster. */
  tellConnections(count: number): void;
}

/** An Engine.IO socket that knows its reader, so that all of them can share their listeners. */
export type WatchedSocket = BeatingSocket & {
  /** What Engine.IO holds for it, in characters. */
  queuedLength: number;
  joins: boolean;
  reader: SocketReader | undefined;
};

/**
 * Watches a new connection. Engine.IO queues without a limit, for clients that have no session yet,
 * too; what a session sends is bounded before it comes here.
 */
export function watcher(
  maxQueued: number,
  heartbeats: Heartbeats<BeatingSocket>,
): (conn: EngineSocket) => void {
  function onPacketCreate(this: WatchedSocket, { data }: { data?: string | Buffer }): void {
    if (isEmpty(this)) this.queuedLength = 0;
    this.queuedLength += data?.length ?? 0;
    if (this.queuedLength > maxQueued) this.close(true);
  }
  function onPacket(this: WatchedSocket, packet: EnginePacket): void {
    heartbeats.heard(this);
    this.reader?.packet(packet);
  }
  function onClose(this: WatchedSocket): void {
    heartbeats.remove(this);
    this.reader?.closed();
  }
  return (conn) => {
    const fields = { queuedLength: 0, joins: false, reader: undefined, heardAt: 0, beatsAt: 0 };
    const watched: WatchedSocket = Object.assign(conn, fields);
    watched.on('packetCreate', onPacketCreate).on('packet', onPacket);
    watched.on('close', onClose).on('upgrade', onUpgrade);
    if (takeHeartbeat(watched)) heartbeats.add(watched);
  };
}

/** As it became by being watched. */
export function watched({ conn }: { readonly conn: EngineSocket }): WatchedSocket {
  return conn as WatchedSocket;
}

/** From now on `reader` is told what the socket's client does. */
export function readBy(socket: Socket, reader: SocketReader): void {
  watched(socket).reader = reader;
  socket.onAny(onEvent);
  socket.on('disconnect', onDisconnect);
}

function onUpgrade(this: WatchedSocket): void {
  this.reader?.upgraded();
}

function onEvent(this: Socket, ...args: unknown[]): void {
  watched(this).reader?.event(args);
}

function onDisconnect(this: Socket, reason: string): void {
  watched(this).reader?.disconnected(reason);
}
