import { once } from 'node:events';
import { createServer } from 'node:http';
import { Socket as TcpSocket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { Server, type Socket } from 'socket.io';
import { type EngineServer, TransportSocket, type WsInternals } from './private-fields.ts';
import { setPid, takeBackId } from './socket-state.ts';

/** The `pid` and the id of the trial's client. */
export const TRIAL = { pid: 'trial-pid', id: 'trial-id' } as const;

/** Longer than all steps of a connection take together. */
const TIMEOUT_MS = 2000;

/** A client of a Socket.IO server without a network; `written` is what the server sends to it. */
export interface TrialClient extends AsyncDisposable {
  readonly socket: Socket;
  readonly tcp: TcpSocket;
  readonly written: () => string;
}

/** Connects a client to a server of its own, as Engine.IO does once an upgrade is complete. */
export async function connectTrialClient(): Promise<TrialClient> {
  const io = new Server(createServer(), { serveClient: false }); // its server never listens
  io.use((socket, next) => {
    setPid(socket, TRIAL.pid);
    takeBackId(socket, TRIAL.id);
    next();
  });
  const { ws, tcp, written } = openWebSocket();
  const connected = once(io, 'connection', { signal: AbortSignal.timeout(TIMEOUT_MS) });
  connected.catch(() => {}); // an earlier failure comes first
  const engine = io.engine as EngineServer & {
    handshake(transport: string, request: object, refuse: () => void): Promise<unknown>;
  };
  const request = { websocket: ws, _query: { EIO: '4' }, headers: {}, connection: {}, url: '/' };
  await engine.handshake('websocket', request, () => ws.emit('close'));
  ws.emit('message', Buffer.from('40'), false);
  const [socket] = (await connected) as [Socket];
  await setImmediate(); // by then all packets are written
  return {
    socket,
    tcp,
    written: () => Buffer.concat(written).toString('latin1'),
    async [Symbol.asyncDispose]() {
      tcp.destroy(); // nobody would answer a close
      await io.close();
    },
  };
}

/** A WebSocket as a server makes it, whose socket has no network and keeps what is written. */
export function openWebSocket(): { ws: WsInternals; tcp: TcpSocket; written: Buffer[] } {
  const written: Buffer[] = [];
  const tcp = new TcpSocket();
  tcp.write = ((chunk: Buffer, ...rest: unknown[]) => {
    written.push(Buffer.from(chunk));
    const sent = rest.at(-1);
    if (typeof sent === 'function') process.nextTick(sent);
    return true;
  }) as typeof tcp.write;
  const options = { isServer: true, maxPayload: 0, allowSynchronousEvents: true };
  // The types know clients only.
  const Constructor = TransportSocket as unknown as new (
    address: null,
    protocols: undefined,
    options: object,
  ) => WsInternals;
  const ws = new Constructor(null, undefined, options);
  ws.setSocket(tcp, Buffer.alloc(0), options);
  return { ws, tcp, written };
}
