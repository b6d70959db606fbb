import type { Socket } from 'node:net';
import type { Connection, Frame } from '@leque/core';
import type { CloseCode } from '@leque/protocol';
import type { WebSocket } from 'ws';
import { wsFormat } from './ws-format.ts';

/**
 * Writes finished frames straight to the TCP socket of the upgrade. That is safe beside what `ws`
 * writes itself (pongs, the close frame), because without compression `ws` writes whole frames at
 * once, too.
 */
export class WsConnection implements Connection {
  readonly format = wsFormat;
  readonly #socket: WebSocket;
  readonly #tcp: Socket;

  constructor(socket: WebSocket, tcp: Socket) {
    this.#socket = socket;
    this.#tcp = tcp;
  }

  get bufferedBytes(): number {
    return this.#tcp.writableLength;
  }

  write(frame: Frame): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    // wsFormat makes nothing but buffers.
    this.#tcp.write(frame as Buffer);
  }

  close(code: CloseCode, reason: string): void {
    this.#socket.close(code, reason);
  }
}
