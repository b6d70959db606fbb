import type { IncomingMessage } from 'node:http';
import { Socket as TcpSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Server, Socket } from 'socket.io';
import { WebSocket } from 'ws';

type EngineServer = Server['engine'];
type EngineSocket = Socket['conn'];

/** What is private in `ws`, and relied on here and nowhere else. */
interface WsInternals {
  readonly _socket: Duplex | undefined;
  readonly _sender: WsSender | undefined;
  setSocket(socket: Duplex, head: Buffer, options: object): void;
  listeners(event: string): ((error: Error) => void)[];
  removeListener(event: string, listener: (error: Error) => void): void;
}

interface WsSender {
  readonly _state: number;
  sendFrame(frame: readonly Buffer[], sent: (error?: Error) => void): void;
}

interface EngineInternals {
  readonly upgrading: boolean;
  readonly writeBuffer: readonly { readonly data?: string | Buffer }[];
  readonly transport: EngineTransport;
}

interface EngineTransport {
  readonly name: string;
  readonly writable: boolean;
  readonly perMessageDeflate: unknown;
  readonly socket?: WsInternals;
  on(event: string, listener: () => void): void;
  send(packets: readonly object[]): void;
}

/** The `ws` sender is doing nothing that a frame could overtake. */
const SENDER_IDLE = 0;
const TEXT_FRAME = 0x81;
const UPGRADE_LISTENER = 'onUpgradeError';
const RESPONSE_LISTENER = '() => this.emit("close")';

/**
 * The TCP socket to which finished frames may be written straight, because nothing that Engine.IO or
 * `ws` still holds could be overtaken; undefined where it has to go through Engine.IO.
 */
export function directSocket(conn: EngineSocket): Duplex | undefined {
  const { upgrading, writeBuffer, transport } = conn as unknown as EngineInternals;
  if (upgrading || writeBuffer.length > 0) return undefined;
  if (transport.name !== 'websocket' || !transport.writable || transport.perMessageDeflate) {
    return undefined;
  }
  const ws = transport.socket;
  return ws?._sender?._state === SENDER_IDLE ? ws._socket : undefined;
}

/**
 * Bytes that are queued for a WebSocket client, in Engine.IO and in its TCP socket; undefined on
 * other transports.
 */
export function queuedBytes(conn: EngineSocket): number | undefined {
  const { writeBuffer, transport } = conn as unknown as EngineInternals;
  const tcp = transport.socket?._socket;
  if (tcp === undefined) return undefined;
  let bytes = tcp.writableLength;
  for (const { data } of writeBuffer) bytes += data?.length ?? 0;
  return bytes;
}

/** Sends a frame that Engine.IO has made for several recipients, as it does itself. */
export function sendFrame(
  ws: WebSocket,
  frame: readonly Buffer[],
  sent: (error?: Error) => void,
): void {
  (ws as unknown as WsInternals)._sender?.sendFrame(frame, sent);
}

/** Whether Engine.IO has handed on all that it was given. */
export function isEmpty(conn: EngineSocket): boolean {
  return (conn as unknown as EngineInternals).writeBuffer.length === 0;
}

/**
 * Drops a listener that would keep the response which Engine.IO makes up for an upgrade, and the
 * request with it, for as long as the connection lives. It is for middleware that waits for the end
 * of a response; there is none here.
 */
export function forgetResponses(engine: EngineServer): void {
  engine.use((request: IncomingMessage, _response: object, next: () => void) => {
    // It was added last, and just now.
    const listener = request.socket.listeners('close').at(-1);
    if (request.headers.upgrade !== undefined && String(listener) === RESPONSE_LISTENER) {
      request.socket.removeListener('close', listener as () => void);
    }
    next();
  });
}

/**
 * Lets go of the request that began the connection, which would be most of what an idle one holds:
 * Socket.IO's own advice (its guide to performance tuning, "discard the initial HTTP request"). A
 * listener that Engine.IO leaves on a WebSocket from before its upgrade holds it, too.
 */
export function forgetRequest(conn: EngineSocket): void {
  Object.assign(conn, { request: undefined });
  const ws = (conn as unknown as EngineInternals).transport.socket;
  for (const listener of ws?.listeners('error') ?? []) {
    if (listener.name === UPGRADE_LISTENER) ws?.removeListener('error', listener);
  }
}

/**
 * Tries, on objects of the versions that are installed, everything that `directSocket` relies on.
 * @returns what differs; undefined when all is as it should be
 */
export function findDirectPathProblem(engine: EngineServer): string | undefined {
  try {
    return findProblem(engine);
  } catch (error) {
    return `the trial failed: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function findProblem(engine: EngineServer): string | undefined {
  const { tcp, written } = recordingSocket();
  const ws = openWebSocket(tcp);
  if (ws._socket !== tcp) return 'ws does not keep its socket as _socket';
  if (ws._sender?._state !== SENDER_IDLE) return 'the state of the ws sender is not known';
  if (typeof ws._sender.sendFrame !== 'function') return 'the ws sender does not send frames';
  const transport = openTransport(engine, ws);
  if (transport.socket !== ws) return 'the Engine.IO transport does not keep its ws as socket';
  const idle = { upgrading: false, writeBuffer: [], transport };
  if (directSocket(idle as unknown as EngineSocket) !== tcp) return 'an idle transport looks busy';
  transport.send([{ type: 'message', data: 'a', options: {} }]);
  if (transport.writable) return 'a transport that sends looks idle';
  const [first = Buffer.alloc(0)] = written;
  // `4a`: what Engine.IO sends is a whole frame on the socket before `send` returns.
  const expected = Buffer.from([TEXT_FRAME, 2, 0x34, 0x61]);
  return Buffer.concat([first, ...written.slice(1)]).equals(expected)
    ? undefined
    : 'Engine.IO does not write at once';
}

function openWebSocket(tcp: Duplex): WsInternals {
  const options = { isServer: true, maxPayload: 0, allowSynchronousEvents: true };
  // As a server makes it; the types know clients only.
  const Constructor = WebSocket as unknown as new (
    address: null,
    protocols: undefined,
    options: object,
  ) => WsInternals;
  const ws = new Constructor(null, undefined, options);
  ws.setSocket(tcp, Buffer.alloc(0), options);
  return ws;
}

function openTransport(engine: EngineServer, websocket: WsInternals): EngineTransport {
  const { createTransport } = engine as unknown as {
    createTransport(name: string, request: object): EngineTransport;
  };
  const request = { websocket, _query: { EIO: '4' }, headers: {} };
  const transport = createTransport.call(engine, 'websocket', request);
  transport.on('error', () => {});
  return transport;
}

/** A socket without a network, which remembers what is written to it. */
function recordingSocket(): { tcp: Duplex; written: Buffer[] } {
  const written: Buffer[] = [];
  const tcp = new TcpSocket();
  tcp.write = ((chunk: Buffer) => {
    written.push(Buffer.from(chunk));
    return true;
  }) as typeof tcp.write;
  return { tcp, written };
}
