import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';

/** Writes frames past the library of the client, as many times. */
export function writeFrames(socket: WebSocket, frames: Buffer, times = 1): void {
  const { _socket: tcp } = socket as unknown as { _socket: Socket };
  const many = Buffer.concat(Array<Buffer>(times).fill(frames));
  tcp.write(many);
}
