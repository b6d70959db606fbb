import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  FrameGate,
  type FrameParser,
  type GatedSocket,
  guardParser,
  type InputContext,
  type ParserGuard,
  parseFrames,
} from '@leque/core';
import { CLOSE } from '@leque/protocol';
import type { Server, Socket } from 'socket.io';
import { WebSocket } from 'ws';

// The fields of ws, Engine.IO and Socket.IO that their types hide, as this transport uses them.
// Only this folder touches them; `trial.ts` checks them on the installed versions at start.

const FIN_TEXT = 0x81;
/** The mask bit, and a length of 1. */
const MASKED_BYTE = 0x81;
/** The index of the first byte of the mask. */
const MASK_AT = 2;
const PAYLOAD_AT = 6;
const PONG_FRAME_BYTES = 7;
/** The character `3`, which is the whole pong packet. */
const PONG = 0x33;

export type EngineServer = Server['engine'];
export type EngineSocket = Socket['conn'];

/** Any function that listens to something. */
export type Listener = (...args: unknown[]) => void;

/** The part of a request's query that this transport reads; Engine.IO has parsed it. */
export function queryOf(request: IncomingMessage): {
  readonly sid?: string;
  readonly token?: string;
} {
  return (request as { _query?: { sid?: string; token?: string } })._query ?? {};
}

/** The options of `ws`, and what the budgets of its sockets share. */
export interface TransportSocketOptions {
  /** Without it the socket has no budget. */
  readonly input?: InputContext;
}

/** The connection of Engine.IO that a WebSocket carries. */
export interface CarriedConnection {
  /**
   * Called for a pong of Engine.IO from the client. Returns false when the pong answers no ping; it is then
   * charged and parsed like any other packet.
   */
  pong(): boolean;
  /** Called when the client goes on sending more than its budget; nothing is read any more. */
  flooded(): void;
}

/**
 * A WebSocket of Engine.IO that knows its client, so that all of them can share their listeners, and
 * that reads no more than the budget of its client allows.
 */
export class TransportSocket extends WebSocket implements GatedSocket, ParserGuard {
  client: ClientInternals | undefined;
  /** Undefined until Engine.IO has made the connection, or has finished an upgrade to this socket. */
  connection: CarriedConnection | undefined;
  readonly #input: InputContext | undefined;
  /** Undefined while the client sends nothing but answers to pings, as most clients do. */
  #gate: FrameGate | undefined;
  #ending = false;

  /** Called by `ws`, whose types know the sockets of clients only. */
  constructor(_address: null, _protocols: undefined, options: TransportSocketOptions) {
    super(null as unknown as string, undefined, options as object);
    this.#input = options.input;
  }

  /** Called by `ws` once the upgrade is complete. */
  setSocket(tcp: Duplex, head: Buffer, options: object): void {
    wsInternalsOf(WebSocket.prototype).setSocket.call(this, tcp, head, options);
    const { _receiver: receiver } = wsInternalsOf(this);
    if (receiver !== undefined && this.#input !== undefined) guardParser(receiver, this);
  }

  takes(bytes: Buffer): boolean {
    if (!isPong(bytes)) return false;
    this.rest();
    return this.#gate === undefined && this.connection?.pong() === true;
  }

  /** Drops a gate that is in its initial state. */
  rest(): void {
    if (this.#gate?.atRest) this.#gate = undefined;
  }

  receive(...[bytes, done]: Parameters<ParserGuard['receive']>): void {
    this.#openGate()?.write(bytes, done);
  }

  parse(...[bytes, done]: Parameters<GatedSocket['parse']>): void {
    parseFrames(wsInternalsOf(this)._receiver as FrameParser, bytes, done);
  }

  get gone(): boolean {
    return wsInternalsOf(this)._socket?.destroyed ?? true;
  }

  flooded(): void {
    this.connection?.flooded();
    this.close(CLOSE.tooManyCommands, 'too much input');
  }

  /** Stops to read and to parse. Call it before `close` when the client has earned it. */
  stop(): void {
    this.#openGate()?.stop();
  }

  /** Engine.IO calls it when this side closes, after which nothing that the client sends counts. */
  override close(code?: number, reason?: string | Buffer): void {
    const { _socket: tcp, _closeFrameReceived: answers } = wsInternalsOf(this);
    super.close(code, reason);
    if (answers || tcp === undefined || this.#ending) return;
    this.#ending = true;
    this.stop();
    this.#gate?.end(tcp);
  }

  #openGate(): FrameGate | undefined {
    this.#gate ??= this.#input && new FrameGate(this, this.#input);
    return this.#gate;
  }
}

/** A WebSocket of `ws`. */
export interface WsInternals extends EventEmitter {
  readonly _socket: Duplex | undefined;
  readonly _sender: SenderInternals | undefined;
  /** The stream that parses frames. */
  readonly _receiver: FrameParser | undefined;
  /** Whether the client has begun to close. */
  readonly _closeFrameReceived: boolean;
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
  /** For polling only: milliseconds that the transport waits for a client to fetch its close packet. */
  closeTimeout?: number;
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

/** Whether the bytes are one whole frame of a client, a text frame with Engine.IO's packet `pong`. */
function isPong(bytes: Buffer): boolean {
  if (bytes.length !== PONG_FRAME_BYTES || bytes[0] !== FIN_TEXT || bytes[1] !== MASKED_BYTE)
    return false;
  return ((bytes[MASK_AT] as number) ^ (bytes[PAYLOAD_AT] as number)) === PONG;
}

function wsInternalsOf(socket: WebSocket): WsInternals {
  return socket as unknown as WsInternals;
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

/** The WebSocket of a transport; undefined for polling. */
export function transportSocketOf(
  transport: EngineTransportInternals,
): TransportSocket | undefined {
  return transport.socket as TransportSocket | undefined;
}
