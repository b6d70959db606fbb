import type { EventEmitter } from 'node:events';
import { type ClientInternals, type SocketInternals, TransportSocket } from './private-fields.ts';

const TRANSPORT_EVENTS = ['close', 'drain', 'error', 'headers', 'packet', 'ready'];
const SOCKET_EVENTS = ['close', 'error', 'message'];

/** @returns how a socket differs from what `SocketSlimmer` expects; undefined when it does not */
export function findSlimmingProblem({ client }: SocketInternals): string | undefined {
  const { conn } = client;
  const { transport } = conn;
  const closers = conn.listeners('close');
  if (!(transport.socket instanceof TransportSocket)) return 'the transport has no ws';
  if (conn.cleanupFn.length !== 1) return 'Engine.IO cleans up otherwise';
  if (conn.server.clients[conn.id] !== conn) return 'Engine.IO keeps its sockets elsewhere';
  if (closers[1] !== client.onclose) return 'the end of a connection has other listeners';
  if (!conn.listeners('data').includes(client.ondata)) return 'data has other listeners';
  if (!conn.listeners('error').includes(client.onerror)) return 'errors have other listeners';
  if (!client.decoder.listeners('decoded').includes(client.ondecoded)) return 'the decoder differs';
  if (others(transport, TRANSPORT_EVENTS)) return `the transport emits ${transport.eventNames()}`;
  if (others(transport.socket, SOCKET_EVENTS)) return 'the ws has other listeners';
  const isWhole = methodsOf(client).every((method) => typeof method === 'function');
  return isWhole ? undefined : 'a method is missing';
}

function others(emitter: EventEmitter, known: readonly string[]): boolean {
  return emitter.eventNames().some((name) => !known.includes(String(name)));
}

function methodsOf({ conn }: ClientInternals): unknown[] {
  const { transport } = conn;
  return [
    ...[conn.onPacket, conn.onDrain, conn.onError, conn.onClose, conn.flush],
    ...[transport.onData, transport.onError, transport.onClose],
    ...[transport._canSendPreEncodedFrame, transport.parser.encodePacket],
  ];
}
