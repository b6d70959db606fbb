import type { EventEmitter } from 'node:events';
import type { Socket } from 'socket.io';
import { isBinary } from '../wire/binary-packets.ts';
import { sendFrame } from './direct-path.ts';
import { LateMap } from './late-map.ts';
import {
  type Decoder,
  findDifference,
  type InnerClient,
  type InnerConn,
  type InnerSocket,
  type InnerTransport,
  type Listener,
  type Packet,
  type TransportSocket,
} from './socket-internals.ts';

type DataListener = (this: InnerConn, data: string | Buffer) => void;

/**
 * Takes from idle connections what Socket.IO and Engine.IO make for each of them and all can share:
 * bound functions and closures, tables of listeners, a decoder. What they do stays the same; only
 * how a call finds its object differs.
 */
export class Lightener {
  readonly #onDifference: (difference: string) => void;
  readonly #onData: DataListener;
  #decoder: Decoder | undefined;
  /** Whose packet is being decoded. */
  #reading: InnerClient | undefined;
  #differs = false;

  /** @param onDifference told once, when the installed versions are not as known; nothing is done then */
  constructor(onDifference: (difference: string) => void) {
    this.#onDifference = onDifference;
    this.#onData = dataListener((client, data) => this.#read(client, data));
  }

  /** Does nothing for a client that does not use a WebSocket, or not yet. */
  lighten(socket: Socket): void {
    const inner = socket as unknown as InnerSocket;
    const { conn } = inner.client;
    const { name, socket: ws } = conn.transport;
    if (this.#differs || name !== 'websocket' || conn.protocol !== 4) return;
    if (conn.upgrading || conn.readyState !== 'open' || ws.client !== undefined) return;
    const difference = findDifference(inner);
    if (difference === undefined) this.#lighten(inner);
    else this.#report(difference);
  }

  #report(difference: string): void {
    this.#differs = true;
    this.#onDifference(difference);
  }

  #lighten(socket: InnerSocket): void {
    const { client } = socket;
    const { conn } = client;
    const { transport } = conn;
    transport.socket.client = client;
    shareWsListeners(transport.socket);
    shareTransportListeners(transport);
    conn.cleanupFn.length = 0; // nothing is to be cleaned up
    this.#shareConnListeners(conn, client);
    this.#shareMethods(client);
    socket.acks = new LateMap();
    // An array to which one was pushed has room for many more.
    if (socket._anyListeners) socket._anyListeners = socket._anyListeners.slice();
  }

  /** Listeners of others stay. */
  #shareConnListeners(conn: InnerConn, { ondata, onerror, onclose }: InnerClient): void {
    const past = [conn.listeners('close')[0], ...conn.listeners('upgrade')];
    const replaced = new Set<unknown>([ondata, onerror, onclose, ...past]);
    const kept = conn
      .eventNames()
      .flatMap((name) =>
        conn.listeners(name).flatMap((each) => (replaced.has(each) ? [] : [{ name, each }])),
      );
    conn.removeAllListeners(); // a table from which single ones are removed becomes a larger one
    conn.on('data', this.#onData).on('error', onConnError).on('close', onConnClose);
    for (const { name, each } of kept) conn.on(name, each as Listener);
  }

  #shareMethods(client: InnerClient): void {
    this.#decoder ??= this.#makeDecoder(client);
    client.decoder = this.#decoder;
    const { onclose, ondata, onerror, ondecoded } = Object.getPrototypeOf(client) as InnerClient;
    Object.assign(client, { onclose, ondata, onerror, ondecoded });
  }

  #makeDecoder({ decoder }: InnerClient): Decoder {
    const Constructor = decoder.constructor as new () => Decoder;
    const shared = new Constructor();
    shared.on('decoded', (packet) => this.#reading?.ondecoded(packet));
    return shared;
  }

  #read(client: InnerClient, data: string): void {
    this.#reading = client;
    client.ondata(data);
  }
}

/** What is binary would stay in the decoder, and ends the connection anyway. */
function dataListener(read: (client: InnerClient, data: string) => void): DataListener {
  return function onData(data) {
    const { client } = this.transport.socket;
    if (client === undefined || isBinary({ type: 'message', data })) return;
    read(client, data as string);
  };
}

function onConnError(this: InnerConn, error: Error): void {
  this.transport.socket.client?.onerror(error);
}

/** What Engine.IO's server does, then what Socket.IO does. */
function onConnClose(this: InnerConn, ...why: unknown[]): void {
  const { server, id, transport } = this;
  delete server.clients[id];
  server.clientsCount -= 1;
  transport.socket.client?.onclose(...why);
}

function shareWsListeners(ws: TransportSocket): void {
  ws.removeAllListeners();
  const events: EventEmitter = ws;
  events.on('message', onWsMessage).on('close', onWsClose).on('error', onWsError);
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

function transportOf({ client }: TransportSocket): InnerTransport | undefined {
  return client?.conn.transport;
}

function shareTransportListeners(transport: InnerTransport): void {
  transport.removeAllListeners();
  transport.on('packet', onPacket).on('close', onTransportClose).on('error', onTransportError);
  const own = { _doSend: undefined, _doSendLast: undefined };
  Object.assign(transport, { ...own, _onSent: undefined, _onSentLast: undefined, send });
}

function onPacket(this: InnerTransport, packet: object): void {
  connOf(this)?.onPacket(packet);
}

function onTransportClose(this: InnerTransport): void {
  connOf(this)?.onClose('transport close');
}

function onTransportError(this: InnerTransport, error: Error): void {
  connOf(this)?.onError(error);
}

function connOf({ socket }: InnerTransport): InnerConn | undefined {
  return socket.client?.conn;
}

/** As Engine.IO's, whose closures live as long as the connection; these as long as the packets. */
function send(this: InnerTransport, packets: readonly Packet[]): void {
  this.writable = false;
  packets.forEach((packet, index) => {
    const sent = (error?: Error) => onSent(this, error, index === packets.length - 1);
    const frame = this._canSendPreEncodedFrame(packet) && packet.options?.wsPreEncodedFrame;
    if (frame) sendFrame(this.socket, frame, sent);
    else
      this.parser.encodePacket(packet, this.supportsBinary, (data) => this.socket.send(data, sent));
  });
}

function onSent(transport: InnerTransport, error: Error | undefined, isLast: boolean): void {
  if (error) {
    transport.onError('write error', error.stack);
  } else if (isLast) {
    const conn = connOf(transport);
    conn?.onDrain();
    transport.writable = true;
    conn?.flush();
  }
}
