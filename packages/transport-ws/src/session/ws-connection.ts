import type { Socket } from 'node:net';
import {
  type Connection,
  type Frame,
  type FrameFormat,
  isVerdict,
  type SocketWriter,
} from '@leque/core';
import type { CloseCode } from '@leque/protocol';
import { deflateFormat } from '../wire/deflate-format.ts';
import { limitedFormat } from '../wire/limited-format.ts';
import { wsFormat } from '../wire/ws-format.ts';
import type { SessionSocket } from './session-socket.ts';

/** `WebSocket.OPEN`, which a socket would inherit through a getter. */
const OPEN = 1;
const DEFLATE = 'permessage-deflate';

export interface WsConnectionOptions {
  readonly writer: SocketWriter;
  /** The most bytes of a message that the client takes; undefined when it takes all. */
  readonly maxMessage: number | undefined;
}

/**
 * Writes finished frames straight to the TCP socket of the upgrade. That is safe beside the frames
 * that `ws` writes itself (pongs, the close frame), because `ws` writes these whole and at once. It
 * would queue only messages that it has to compress, and it is given none.
 */
export class WsConnection implements Connection {
  readonly format: FrameFormat;
  readonly #socket: SessionSocket;
  readonly #tcp: Socket;
  readonly #writer: SocketWriter;

  /** @param tcp the socket of the upgrade */
  constructor(socket: SessionSocket, tcp: Socket, { writer, maxMessage }: WsConnectionOptions) {
    this.#socket = socket;
    const format = socket.extensions.includes(DEFLATE) ? deflateFormat : wsFormat;
    this.format = maxMessage === undefined ? format : limitedFormat(format, maxMessage);
    this.#tcp = tcp;
    this.#writer = writer;
  }

  get bufferedBytes(): number {
    return this.#tcp.writableLength;
  }

  write(frame: Frame): void {
    if (this.#socket.readyState !== OPEN) return;
    // All frames of both formats are buffers.
    this.#writer.write(this.#tcp, frame as Buffer);
  }

  close(code: CloseCode, reason: string): void {
    if (isVerdict(code)) this.#socket.stop();
    this.#socket.close(code, reason);
  }
}
