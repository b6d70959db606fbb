import {
  type Cancel,
  CLOSE_TIMEOUT_MS,
  type Connection,
  type Frame,
  type FrameFormat,
  isVerdict,
} from '@leque/core';
import { CLOSE, type CloseCode, type ServerMessage } from '@leque/protocol';
import type { Socket } from 'socket.io';
import type { SocketIoContext } from '../context.ts';
import { stopReading } from '../internals/connection-state.ts';
import { directSocket, queuedBytes } from '../internals/direct-path.ts';
import { forgetRequest } from '../internals/forget-requests.ts';
import type { ExpectedTails } from '../recovery/expected-tails.ts';
import type { Progress } from '../recovery/progress.ts';
import { offsetFormat, plainFormat } from '../wire/socketio-format.ts';
import type { SocketIoFrame } from '../wire/socketio-frame.ts';

/** Official clients come back by themselves unless the server disconnects them by a packet. */
const FINAL_CODES: ReadonlySet<CloseCode> = new Set([
  CLOSE.unsupportedData,
  CLOSE.policyViolation,
  CLOSE.tokenExpired,
  CLOSE.forbidden,
  CLOSE.tooManyCommands,
]);

/** The client is moved to another node; the reason says when it should come back. */
const MOVE_CODES: ReadonlySet<CloseCode> = new Set([CLOSE.goingAway, CLOSE.drained]);

const NONE = Object.freeze({});
/** Replaces the handshake, whose headers and token are not needed any more. */
const PAST_HANDSHAKE = Object.freeze({ headers: NONE, query: NONE, auth: NONE, url: '' });

/**
 * Writes to a Socket.IO client: straight to the TCP socket of a WebSocket that is idle, else through
 * Engine.IO, which keeps packets in order on every transport.
 */
export class SocketIoConnection implements Connection {
  readonly format: FrameFormat;
  /** Where the client stands; undefined when it cannot come back with its state. */
  progress: Progress | undefined;
  /** Stands in for `progress` while a new session reads what it has missed. */
  expected: ExpectedTails | undefined;
  readonly #socket: Socket;
  readonly #context: SocketIoContext;
  /** Bytes that Engine.IO holds, which has no limit of its own. */
  #unsentBytes = 0;
  #settled = false;
  /** Cancels the end of a connection whose client does not answer a close. */
  #cancelCut: Cancel | undefined;

  constructor(socket: Socket, context: SocketIoContext) {
    this.#socket = socket;
    const { conn, handshake } = socket;
    const hasOffsets = conn.protocol !== 3 && context.keepsOffsets(handshake);
    this.format = hasOffsets ? offsetFormat : plainFormat;
    this.#context = context;
  }

  /** Whether the client keeps offsets, so that it can come back with its state. */
  get hasOffsets(): boolean {
    return this.format === offsetFormat;
  }

  get bufferedBytes(): number {
    return queuedBytes(this.#socket.conn) ?? this.#unsentBytes;
  }

  stamp(frame: Frame): Frame {
    return this.progress?.stamp(frame as SocketIoFrame) ?? frame;
  }

  stampBytesOf(frame: Frame): number {
    return (this.progress ?? this.expected)?.stampBytesOf(frame as SocketIoFrame) ?? 0;
  }

  write(frame: Frame): void {
    const { conn } = this.#socket;
    if (conn.readyState !== 'open') return;
    // Clients keep what arrives before they are connected, and would get it again from their state.
    if (!this.#socket.connected) {
      conn.close();
      return;
    }
    const { direct, writes, writer } = this.#context;
    const tcp = direct ? directSocket(conn) : undefined;
    // Both formats make only such frames.
    if (tcp === undefined) this.#writeThroughEngine(frame as SocketIoFrame);
    else writer.write(tcp, (frame as SocketIoFrame).wire);
    writes[tcp === undefined ? 'engine' : 'direct'] += 1;
  }

  close(code: CloseCode, reason: string): void {
    const { connected, conn } = this.#socket;
    if (isVerdict(code)) stopReading(conn);
    if (connected) this.#say(code, reason);
    if (connected && FINAL_CODES.has(code)) this.#socket.disconnect(true);
    else conn.close();
    // Engine.IO waits until the client has taken everything, for ever if it does not read.
    this.#cancelCut = this.#context.clock.after(CLOSE_TIMEOUT_MS, () => conn.close(true));
  }

  /** Frees what was needed to connect only. */
  settle(): void {
    this.#settled = true;
    Object.assign(this.#socket, { handshake: PAST_HANDSHAKE });
    this.upgraded();
  }

  upgraded(): void {
    if (!this.#settled) return;
    forgetRequest(this.#socket.conn);
    this.#context.slimmer?.slim(this.#socket);
  }

  /** Called when the socket is gone. */
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
