import { CLOSE_TIMEOUT_MS, type Clock, type Connection, type Frame } from '@leque/core';
import { CLOSE, type CloseCode } from '@leque/protocol';
import type { Socket } from 'socket.io';
import { type SocketIoFrame, socketIoFormat } from './socketio-format.ts';

/** Official clients come back by themselves unless the server disconnects them by a packet. */
const FINAL_CODES: ReadonlySet<CloseCode> = new Set([
  CLOSE.tokenExpired,
  CLOSE.forbidden,
  CLOSE.tooManyCommands,
]);

/** The client is moved to another node; the reason says when it should come back. */
const MOVE_CODES: ReadonlySet<CloseCode> = new Set([CLOSE.goingAway, CLOSE.drained]);

/** Hands encoded packets to Engine.IO, which keeps them in order on every transport. */
export class SocketIoConnection implements Connection {
  readonly format = socketIoFormat;
  readonly #socket: Socket;
  readonly #clock: Clock;
  #bufferedBytes = 0;

  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
  }

  /** Engine.IO's own queue has no limit, so what it was given and has not sent is counted here. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  write(frames: readonly Frame[]): void {
    const { conn } = this.#socket;
    if (conn.readyState !== 'open') return;
    // socketIoFormat makes nothing but these.
    for (const { packets, byteLength } of frames as readonly SocketIoFrame[]) {
      const last = packets.length - 1;
      this.#bufferedBytes += byteLength;
      const onSent = () => {
        this.#bufferedBytes -= byteLength;
      };
      packets.forEach((packet, index) => {
        conn.write(packet, undefined, index === last ? onSent : undefined);
      });
    }
  }

  close(code: CloseCode, reason: string): void {
    if (MOVE_CODES.has(code)) {
      this.#socket.emit('server.draining', { retry_after_ms: Number(reason) });
    } else {
      this.#socket.emit('error', { code, message: reason });
    }
    if (FINAL_CODES.has(code)) this.#socket.disconnect(true);
    else this.#socket.conn.close();
    // Engine.IO waits until the client has taken everything; one that does not read never does.
    this.#clock.after(CLOSE_TIMEOUT_MS, () => this.#socket.conn.close(true));
  }
}
