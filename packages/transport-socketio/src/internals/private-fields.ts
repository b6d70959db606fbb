import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Server, Socket } from 'socket.io';
import { WebSocket } from 'ws';

// The fields of ws, Engine.IO and Socket.IO that their types hide, as this transport uses them.
// Only this folder touches them; `trial.ts` checks them on the installed versions at start.

export type EngineServer = Server['engine'];
export type EngineSocket = Socket['conn'];

/** Any function that listens to something. */
export type Listener = (...args: unknown[]) => void;

/** A WebSocket of Engine.IO that knows its client, so that all of them can share their listeners. */
export class TransportSocket extends WebSocket {
  client: ClientInternals | undefined;
}

/** A WebSocket of `ws`. */
export interface WsInternals extends EventEmitter {
  readonly _socket: Duplex | undefined;
  readonly _sender: SenderInternals | undefined;
  setSocket(socket: Duplex, head: Buffer, options: object): void;
}

export interface SenderInternals {
  readonly _state: number;
  sendFrame(frame: readonly Buffer[], sent: (error?: Error) => void): void;
}

/** A connection of Engine.IO. */
export interface EngineInternals extends EventEmitter {
  readonly id: string;
  readonly protocol: number;
  readonly readyState: string;
  readonly upgrading: boolean;
  readonly transport: EngineTransportInternals;
  readonly server: { readonly clients: Record<string, unknown>; clientsCount: number };
  readonly cleanupFn: unknown[];
  readonly writeBuffer: readonly { readonly data?: string | Buffer }[];
  pingIntervalTimer: NodeJS.Timeout | null;
  request: unknown;
  sendPacket(type: string): void;
  onPacket(packet: object): void;
  onDrain(): void;
  onError(error: Error): void;
  onClose(reason: string): void;
  flush(): void;
}

/** A transport of Engine.IO; `socket` is undefined for polling. */
export interface EngineTransportInternals extends EventEmitter {
  readonly name: string;
  readonly socket: TransportSocket;
  readonly perMessageDeflate: unknown;
  readonly supportsBinary: boolean;
  readonly parser: {
    encodePacket(
      packet: EnginePacket,
      binary: boolean,
      done: (data: string | Buffer) => void,
    ): void;
  };
  writable: boolean;
  send(packets: readonly EnginePacket[]): void;
  onData(data: unknown): void;
  onError(message: unknown, description?: unknown): void;
  onClose(): void;
  _canSendPreEncodedFrame(packet: EnginePacket): boolean;
}

/** A packet on its way out of Engine.IO. */
export interface EnginePacket {
  readonly type?: string;
  readonly data?: string;
  readonly options?: { readonly wsPreEncodedFrame?: readonly Buffer[] };
}

/** A socket of Socket.IO. */
export interface SocketInternals {
  id: string;
  /** Sent to the client in the CONNECT packet, whether Socket.IO's own recovery is on or not. */
  pid: string | undefined;
  acks: { get(id: number): unknown };
  _anyListeners?: readonly Listener[];
  readonly client: ClientInternals;
  readonly nsp: { readonly _preConnectSockets?: Map<string, unknown> };
}

/** A client of Socket.IO: one connection with its sockets in all namespaces. */
export interface ClientInternals {
  readonly sockets: ReadonlyMap<string, unknown>;
  readonly conn: EngineInternals;
  decoder: DecoderInternals;
  onclose: Listener;
  ondata: Listener;
  onerror: Listener;
  ondecoded: Listener;
}

export interface DecoderInternals {
  on(event: 'decoded', listener: Listener): void;
  listeners(event: 'decoded'): readonly Listener[];
}

export function engineOf(conn: EngineSocket): EngineInternals {
  return conn as unknown as EngineInternals;
}

export function socketOf(socket: Socket): SocketInternals {
  return socket as unknown as SocketInternals;
}

/** The WebSocket of a connection; undefined for polling. */
export function webSocketOf({ transport }: EngineInternals): WsInternals | undefined {
  return transport.socket as unknown as WsInternals | undefined;
}
