import type { EventEmitter } from 'node:events';
import { sendFrame } from './direct-path.ts';
import type {
  EngineInternals,
  EnginePacket,
  EngineTransportInternals,
  TransportSocket,
} from './private-fields.ts';

/** Replaces a WebSocket's listeners by those that all sockets share. */
export function shareWsListeners(ws: TransportSocket): void {
  ws.removeAllListeners();
  const events: EventEmitter = ws;
  events.on('message', onWsMessage).on('close', onWsClose).on('error', onWsError);
}

/** Replaces a transport's listeners and closures by those that all transports share. */
export function shareTransportListeners(transport: EngineTransportInternals): void {
  transport.removeAllListeners();
  transport.on('packet', onPacket).on('close', onTransportClose).on('error', onTransportError);
  const own = { _doSend: undefined, _doSendLast: undefined };
  Object.assign(transport, { ...own, _onSent: undefined, _onSentLast: undefined, send });
}

export function onConnError(this: EngineInternals, error: Error): void {
  this.transport.socket.client?.onerror(error);
}

/** Does what Engine.IO's server does at the end of a connection, then what Socket.IO does. */
export function onConnClose(this: EngineInternals, ...why: unknown[]): void {
  const { server, id, transport } = this;
  delete server.clients[id];
  server.clientsCount -= 1;
  transport.socket.client?.onclose(...why);
}

function onWsMessage(this: TransportSocket, data: object, isBinaryFrame: boolean): void {
  transportOf(this)?.onData(isBinaryFrame ? data : data.toString());
}

function onWsClose(this: TransportSocket): void {
  transportOf(this)?.onClose();
}

function onWsError(this: TransportSocket, error: Error): void {
  transportOf(this)?.onError(error);
}

function transportOf({ client }: TransportSocket): EngineTransportInternals | undefined {
  return client?.conn.transport;
}

function onPacket(this: EngineTransportInternals, packet: object): void {
  connOf(this)?.onPacket(packet);
}

function onTransportClose(this: EngineTransportInternals): void {
  connOf(this)?.onClose('transport close');
}

function onTransportError(this: EngineTransportInternals, error: Error): void {
  connOf(this)?.onError(error);
}

function connOf({ socket }: EngineTransportInternals): EngineInternals | undefined {
  return socket.client?.conn;
}

/**
 * Sends like Engine.IO's own method, whose closures live as long as the connection; these live as
 * long as the packets.
 */
function send(this: EngineTransportInternals, packets: readonly EnginePacket[]): void {
  this.writable = false;
  packets.forEach((packet, index) => {
    const sent = (error?: Error) => onSent(this, error, index === packets.length - 1);
    const frame = this._canSendPreEncodedFrame(packet) && packet.options?.wsPreEncodedFrame;
    if (frame) sendFrame(this.socket, frame, sent);
    else
      this.parser.encodePacket(packet, this.supportsBinary, (data) => this.socket.send(data, sent));
  });
}

function onSent(
  transport: EngineTransportInternals,
  error: Error | undefined,
  isLast: boolean,
): void {
  if (error) {
    transport.onError('write error', error.stack);
  } else if (isLast) {
    const conn = connOf(transport);
    conn?.onDrain();
    transport.writable = true;
    conn?.flush();
  }
}
