import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { type EngineSocket, engineOf, type WsInternals, webSocketOf } from './private-fields.ts';

/** The state of a `ws` sender that holds nothing which a frame could overtake. */
export const SENDER_IDLE = 0;

/**
 * Returns the TCP socket to which finished frames may be written straight, because neither Engine.IO
 * nor `ws` holds anything that they could overtake; undefined when frames have to go through
 * Engine.IO.
 */
export function directSocket(conn: EngineSocket): Duplex | undefined {
  const engine = engineOf(conn);
  const { upgrading, writeBuffer, transport } = engine;
  if (upgrading || writeBuffer.length > 0) return undefined;
  if (transport.name !== 'websocket' || !transport.writable || transport.perMessageDeflate) {
    return undefined;
  }
  const ws = webSocketOf(engine);
  return ws?._sender?._state === SENDER_IDLE ? ws._socket : undefined;
}

/**
 * Bytes that are queued for a WebSocket client, in Engine.IO and in its TCP socket; undefined on
 * other transports.
 */
export function queuedBytes(conn: EngineSocket): number | undefined {
  const engine = engineOf(conn);
  const tcp = webSocketOf(engine)?._socket;
  if (tcp === undefined) return undefined;
  let bytes = tcp.writableLength;
  for (const { data } of engine.writeBuffer) bytes += data?.length ?? 0;
  return bytes;
}

/** Whether Engine.IO has passed on all packets that it was given. */
export function isEmpty(conn: EngineSocket): boolean {
  return engineOf(conn).writeBuffer.length === 0;
}

/** Sends a frame that Engine.IO has made for several recipients, as it does itself. */
export function sendFrame(
  ws: WebSocket,
  frame: readonly Buffer[],
  sent: (error?: Error) => void,
): void {
  (ws as unknown as WsInternals)._sender?.sendFrame(frame, sent);
}
