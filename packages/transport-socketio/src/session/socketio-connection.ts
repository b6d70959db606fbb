import {
  type Cancel,
  CLOSE_TIMEOUT_MS,
  type Clock,
  type Connection,
  type Frame,
  type FrameFormat,
  type SocketWriter,
} from '@leque/core';
import { CLOSE, type CloseCode, type ServerMessage } from '@leque/protocol';
import type { Socket } from 'socket.io';
import { directSocket, forgetRequest, queuedBytes } from '../internals/direct-path.ts';
import type { Lightener } from '../internals/lighten.ts';
import type { Progress } from '../recovery/progress.ts';
import type { SocketIoFrame } from '../wire/socketio-frame.ts';

/** Official clients come back by themselves unless the server disconnects them by a packet. */
const FINAL_CODES: ReadonlySet<CloseCode> = new Set([
  CLOSE.unsupportedData,
  CLOSE.tokenExpired,
  CLOSE.forbidden,
  CLOSE.tooManyCommands,
]);

/** The client is moved to another node; the reason says when it should come back. */
const MOVE_CODES: ReadonlySet<CloseCode> = new Set([CLOSE.goingAway, CLOSE.drained]);

const NONE = Object.freeze({});
/** What is left of every handshake: its headers and its token have done their work. */
const PAST_HANDSHAKE = Object.freeze({ headers: NONE, query: NONE, auth: NONE, url: '' });

/** What all connections of the node share. */
export interface SocketIoWriting {
  readonly clock: Clock;
  readonly format: FrameFormat;
  readonly writer: SocketWriter;
  /** Whether the direct path is what it should be in the versions that are installed. */
  readonly direct: boolean;
  readonly lightener: Lightener;
  /** Writes by either way, since the start of the process: plain integers, read when somebody asks. */
  readonly counters: { direct: number; engine: number };
}

/**
 * Writes to a Socket.IO client: straight to the TCP socket of a WebSocket that is idle, else through
 * Engine.IO, which keeps packets in order on every transport.
 */
export class SocketIoConnection implements Connection {
  readonly format: FrameFormat;
  /** Undefined for a client that cannot come back with its state. */
  progress: Progress | undefined;
  readonly #socket: Socket;
  readonly #writing: SocketIoWriting;
  /** Given to Engine.IO and not sent yet; it has no limit of its own. */
  #unsentBytes = 0;
  #settled = false;
  #cancelCut: Cancel | undefined;

  constructor(socket: Socket, writing: SocketIoWriting) {
    this.#socket = socket;
    this.format = writing.format;
    this.#writing = writing;
  }

  get bufferedBytes(): number {
    return queuedBytes(this.#socket.conn) ?? this.#unsentBytes;
  }

  stamp(frame: Frame): Frame {
    return this.progress?.stamp(frame as SocketIoFrame) ?? frame;
  }

  get stampBytes(): number {
    return this.progress?.stampBytes ?? 0;
  }

  write(frame: Frame): void {
    const { conn } = this.#socket;
    if (conn.readyState !== 'open') return;
    // Clients keep what comes before they are connected, and would have it again from their state.
    if (!this.#socket.connected) {
      conn.close();
      return;
    }
    const { direct, counters, writer } = this.#writing;
    const tcp = direct ? directSocket(conn) : undefined;
    // The formats make nothing but these.
    if (tcp === undefined) this.#writeThroughEngine(frame as SocketIoFrame);
    else writer.write(tcp, (frame as SocketIoFrame).wire);
    counters[tcp === undefined ? 'engine' : 'direct'] += 1;
  }

  close(code: CloseCode, reason: string): void {
    const { connected, conn } = this.#socket;
    if (connected) this.#say(code, reason);
    if (connected && FINAL_CODES.has(code)) this.#socket.disconnect(true);
    else conn.close();
    // Engine.IO waits until the client has taken everything; one that does not read never does.
    this.#cancelCut = this.#writing.clock.after(CLOSE_TIMEOUT_MS, () => conn.close(true));
  }

  /** From now on nothing of how it began is needed. */
  settle(): void {
    this.#settled = true;
    Object.assign(this.#socket, { handshake: PAST_HANDSHAKE });
    this.upgraded();
  }

  upgraded(): void {
    if (!this.#settled) return;
    forgetRequest(this.#socket.conn);
    this.#writing.lightener.lighten(this.#socket);
  }

  /** The socket is gone by itself. */
  end(): void {
    this.#cancelCut?.();
  }

  #say(code: CloseCode, reason: string): void {
    if (MOVE_CODES.has(code)) {
      this.#socket.emit('server.draining' satisfies ServerMessage, {
        retry_after_ms: Number(reason),
      });
    } else {
      this.#socket.emit('error' satisfies ServerMessage, { code, message: reason });
    }
  }

  #writeThroughEngine({ packets, byteLength }: SocketIoFrame): void {
    const last = packets.length - 1;
    this.#unsentBytes += byteLength;
    const onSent = () => {
      this.#unsentBytes -= byteLength;
    };
    packets.forEach((packet, index) => {
      this.#socket.conn.write(packet, undefined, index === last ? onSent : undefined);
    });
  }
}
