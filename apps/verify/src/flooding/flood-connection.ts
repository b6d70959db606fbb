import { connect, type Socket } from 'node:net';
import { clientFrame, requestText } from '@leque/testkit';
import type { Flood } from './floods.ts';

/** A client that is closed comes back after this time. */
const RETURN_MS = 100;
/** Long enough for a node to answer a packet that joins. */
const JOIN_MS = 200;

export interface FloodTarget {
  /** The URL of a gateway. */
  readonly url: string;
  readonly token: string;
}

/** Sends as much of one kind of input as the gateway reads, and comes back when it is closed. */
export class FloodConnection {
  readonly #target: FloodTarget;
  readonly #flood: Flood;
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  /** Connections made so far. */
  connects = 0;

  constructor(target: FloodTarget, flood: Flood) {
    this.#target = target;
    this.#flood = flood;
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
  }

  #connect(): void {
    this.connects += 1;
    const { hostname, port } = new URL(this.#target.url);
    const socket = connect(Number(port), hostname);
    this.#socket = socket;
    socket.on('error', () => {}); // `close` follows
    socket.once('close', () => this.#comeBack());
    socket.once('data', () => this.#upgraded(socket));
    socket.resume();
    socket.write(this.#head());
  }

  #upgraded(socket: Socket): void {
    const { path, token } = this.#flood;
    const isSocketIo = path?.startsWith('/socket.io/') ?? false;
    if (!isSocketIo || !token) {
      this.#pour(socket);
      return;
    }
    socket.write(clientFrame(`40/events,${JSON.stringify({ token: this.#target.token })}`));
    this.#timer = setTimeout(() => this.#pour(socket), JOIN_MS);
  }

  /** Writes what the kernel takes, and goes on when it takes more. */
  #pour(socket: Socket): void {
    const { payload } = this.#flood;
    const pour = () => {
      if (!socket.destroyed && socket.write(payload)) setImmediate(pour);
    };
    socket.on('drain', pour);
    pour();
  }

  #comeBack(): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    this.#timer = setTimeout(() => this.#connect(), RETURN_MS);
  }

  #head(): string {
    const { path = '/', token, compressed = false } = this.#flood;
    const headers = {
      ...(compressed && { 'Sec-WebSocket-Extensions': 'permessage-deflate' }),
      ...(token && { Authorization: `Bearer ${this.#target.token}` }),
    };
    return requestText({ path, headers });
  }
}
