import type { ServerResponse } from 'node:http';
import { CLOSE_TIMEOUT_MS, type Clock, type Connection, type FrameFormat } from '@leque/core';
import { encodeEnvelopeEnd, encodeReply, toCursor } from '@leque/protocol';

/** Each envelope becomes one line. All frames are buffers. */
export const ndjsonFormat: FrameFormat = {
  transport: 'ndjson',
  encodePublication({ origin, position, body }) {
    const end = encodeEnvelopeEnd({ channel: origin, position });
    return Buffer.concat([body.subarray(0, -1), Buffer.from(`${end}\n`)]);
  },
  join: (frames) => Buffer.concat(frames as readonly Buffer[]),
  encodeResync(channel, position) {
    const cursor = position && toCursor(position);
    return toLine(encodeReply('resync', { channel, cursor }, { channel, cursor }));
  },
  encodeDropped(channel, dropped) {
    return toLine(encodeReply('live.dropped', { channel, dropped }, { channel }));
  },
};

export function toLine(json: string): Buffer {
  return Buffer.from(`${json}\n`);
}

/** Writes lines to a response that never ends by itself. */
export class NdjsonConnection implements Connection {
  readonly format = ndjsonFormat;
  readonly #response: ServerResponse;
  readonly #clock: Clock;

  constructor(response: ServerResponse, clock: Clock) {
    this.#response = response;
    this.#clock = clock;
  }

  get bufferedBytes(): number {
    return this.#response.writableLength;
  }

  write(frame: Parameters<Connection['write']>[0]): void {
    this.#response.write(frame as Buffer);
  }

  /** The protocol has no close codes: clients come back with their cursors. */
  close(): void {
    this.#response.end();
    // A client that does not read would keep the response.
    this.#clock.after(CLOSE_TIMEOUT_MS, () => this.#response.destroy());
  }
}
