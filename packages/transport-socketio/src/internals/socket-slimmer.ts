import type { Socket } from 'socket.io';
import { isBinary } from '../wire/binary-packets.ts';
import { LazyMap } from './lazy-map.ts';
import {
  type ClientInternals,
  type DecoderInternals,
  type EngineInternals,
  type Listener,
  type SocketInternals,
  socketOf,
} from './private-fields.ts';
import {
  onConnClose,
  onConnError,
  shareTransportListeners,
  shareWsListeners,
} from './shared-listeners.ts';
import { findSlimmingProblem } from './slimming-check.ts';

type DataListener = (this: EngineInternals, data: string | Buffer) => void;

/**
 * Makes idle connections smaller: what Socket.IO and Engine.IO make for each of them is replaced by
 * what all share (bound functions and closures, tables of listeners, a decoder). The behaviour stays
 * the same; only how a call finds its object differs.
 */
export class SocketSlimmer {
  readonly #onProblem: (problem: string) => void;
  readonly #onData: DataListener;
  #decoder: DecoderInternals | undefined;
  /** The client whose packet is being decoded. */
  #reading: ClientInternals | undefined;
  #disabled = false;

  /** @param onProblem called once, when a socket is not as expected; no socket is touched then */
  constructor(onProblem: (problem: string) => void) {
    this.#onProblem = onProblem;
    this.#onData = dataListener((client, data) => this.#read(client, data));
  }

  /** Does nothing for a client that does not use a WebSocket, or does not use one yet. */
  slim(socket: Socket): void {
    const internals = socketOf(socket);
    const { conn } = internals.client;
    const { name, socket: ws } = conn.transport;
    if (this.#disabled || name !== 'websocket' || conn.protocol !== 4) return;
    if (conn.upgrading || conn.readyState !== 'open' || ws.client !== undefined) return;
    const problem = findSlimmingProblem(internals);
    if (problem === undefined) this.#slim(internals);
    else this.#disable(problem);
  }

  #disable(problem: string): void {
    this.#disabled = true;
    this.#onProblem(problem);
  }

  #slim(socket: SocketInternals): void {
    const { client } = socket;
    const { conn } = client;
    const { transport } = conn;
    transport.socket.client = client;
    transport.socket.rest();
    shareWsListeners(transport.socket);
    shareTransportListeners(transport);
    conn.cleanupFn.length = 0; // nothing is left to clean up
    this.#shareConnListeners(conn, client);
    this.#shareMethods(client);
    socket.acks = new LazyMap();
    // An array to which one element was pushed has room for many more.
    if (socket._anyListeners) socket._anyListeners = socket._anyListeners.slice();
  }

  /** Replaces the listeners of the libraries; all other listeners stay. */
  #shareConnListeners(conn: EngineInternals, { ondata, onerror, onclose }: ClientInternals): void {
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

  #shareMethods(client: ClientInternals): void {
    this.#decoder ??= this.#makeDecoder(client);
    client.decoder = this.#decoder;
    const { onclose, ondata, onerror, ondecoded } = Object.getPrototypeOf(
      client,
    ) as ClientInternals;
    Object.assign(client, { onclose, ondata, onerror, ondecoded });
  }

  #makeDecoder({ decoder }: ClientInternals): DecoderInternals {
    const Constructor = decoder.constructor as new () => DecoderInternals;
    const shared = new Constructor();
    shared.on('decoded', (packet) => this.#reading?.ondecoded(packet));
    return shared;
  }

  #read(client: ClientInternals, data: string): void {
    this.#reading = client;
    client.ondata(data);
  }
}

/** A binary packet would stay in the shared decoder, and it ends the connection anyway. */
function dataListener(read: (client: ClientInternals, data: string) => void): DataListener {
  return function onData(data) {
    const { client } = this.transport.socket;
    if (client === undefined || isBinary({ type: 'message', data })) return;
    read(client, data as string);
  };
}
