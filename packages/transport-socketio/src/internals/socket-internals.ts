import type { EventEmitter } from 'node:events';
import { WebSocket } from 'ws';

/** Any function that listens to something. */
export type Listener = (...args: unknown[]) => void;

/** What is private in Socket.IO's sockets, and relied on by `lighten` only. */
export interface InnerSocket {
  readonly client: InnerClient;
  acks: { get(id: number): unknown };
  _anyListeners?: readonly Listener[];
}

export interface InnerClient {
  readonly sockets: ReadonlyMap<string, unknown>;
  readonly conn: InnerConn;
  decoder: Decoder;
  onclose: Listener;
  ondata: Listener;
  onerror: Listener;
  ondecoded: Listener;
}

export interface Decoder {
  on(event: 'decoded', listener: Listener): void;
  listeners(event: 'decoded'): readonly Listener[];
}

/** The same of Engine.IO's. */
export interface InnerConn extends EventEmitter {
  readonly id: string;
  readonly protocol: number;
  readonly readyState: string;
  readonly upgrading: boolean;
  readonly transport: InnerTransport;
  readonly server: { readonly clients: Record<string, unknown>; clientsCount: number };
  readonly cleanupFn: unknown[];
  onPacket(packet: object): void;
  onDrain(): void;
  onError(error: Error): void;
  onClose(reason: string): void;
  flush(): void;
}

export interface InnerTransport extends EventEmitter {
  readonly name: string;
  readonly socket: TransportSocket;
  readonly supportsBinary: boolean;
  readonly parser: {
    encodePacket(packet: Packet, binary: boolean, done: (data: string | Buffer) => void): void;
  };
  writable: boolean;
  send(packets: readonly Packet[]): void;
  onData(data: unknown): void;
  onError(message: unknown, description?: unknown): void;
  onClose(): void;
  _canSendPreEncodedFrame(packet: Packet): boolean;
}

export interface Packet {
  readonly options?: { readonly wsPreEncodedFrame?: readonly Buffer[] };
}

/** A WebSocket of Engine.IO that knows whose it is, so that all of them can share their listeners. */
export class TransportSocket extends WebSocket {
  client: InnerClient | undefined;
}

const TRANSPORT_EVENTS = ['close', 'drain', 'error', 'headers', 'packet', 'ready'];
const SOCKET_EVENTS = ['close', 'error', 'message'];

/** @returns what differs in the installed versions from what `lighten` knows; undefined for nothing */
export function findDifference({ client }: InnerSocket): string | undefined {
  const { conn } = client;
  const { transport } = conn;
  const closers = conn.listeners('close');
  if (!(transport.socket instanceof TransportSocket)) return 'the transport has no ws';
  if (conn.cleanupFn.length !== 1) return 'Engine.IO cleans up otherwise';
  if (conn.server.clients[conn.id] !== conn) return 'Engine.IO keeps its sockets elsewhere';
  if (closers[1] !== client.onclose) return 'the end of a connection is heard otherwise';
  if (!conn.listeners('data').includes(client.ondata)) return 'data is read otherwise';
  if (!conn.listeners('error').includes(client.onerror)) return 'errors are heard otherwise';
  if (!client.decoder.listeners('decoded').includes(client.ondecoded)) return 'the decoder differs';
  if (others(transport, TRANSPORT_EVENTS)) return `the transport emits ${transport.eventNames()}`;
  if (others(transport.socket, SOCKET_EVENTS)) return 'the ws has other listeners';
  const isWhole = methodsOf(client).every((method) => typeof method === 'function');
  return isWhole ? undefined : 'a method is missing';
}

function others(emitter: EventEmitter, known: readonly string[]): boolean {
  return emitter.eventNames().some((name) => !known.includes(String(name)));
}

function methodsOf({ conn }: InnerClient): unknown[] {
  const { transport } = conn;
  return [
    ...[conn.onPacket, conn.onDrain, conn.onError, conn.onClose, conn.flush],
    ...[transport.onData, transport.onError, transport.onClose],
    ...[transport._canSendPreEncodedFrame, transport.parser.encodePacket],
  ];
}
