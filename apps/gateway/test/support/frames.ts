import type { Socket } from 'node:net';
import { constants, deflateRawSync } from 'node:zlib';
import type { WebSocket } from 'ws';

export interface FrameOptions {
  /** 1 is text, 2 binary, 0 a continuation, 8 close, 9 ping, 10 pong. */
  readonly opcode?: number;
  readonly final?: boolean;
  /** Whether the payload is compressed. */
  readonly compressed?: boolean;
}

/** A frame as clients send it, whose mask changes nothing. */
export function clientFrame(payload: string | Buffer, options: FrameOptions = {}): Buffer {
  const { opcode = 1, final = true, compressed = false } = options;
  const body = Buffer.from(payload);
  const first = (final ? 0x80 : 0) | (compressed ? 0x40 : 0) | opcode;
  const head =
    body.length < 126
      ? [first, 0x80 | body.length]
      : [first, 0x80 | 126, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), body]);
}

/** A compressed message of few bytes that inflates to `bytes`. */
export function bomb(bytes: number): Buffer {
  const flushed = deflateRawSync(Buffer.alloc(bytes, 0x20), {
    finishFlush: constants.Z_SYNC_FLUSH,
  });
  return clientFrame(flushed.subarray(0, -4), { compressed: true });
}

/** Writes frames past the library of the client, as many times. */
export function writeFrames(socket: WebSocket, frames: Buffer, times = 1): void {
  const { _socket: tcp } = socket as unknown as { _socket: Socket };
  const many = Buffer.concat(Array<Buffer>(times).fill(frames));
  tcp.write(many);
}
