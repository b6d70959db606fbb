import type { Connection, Frame, FrameFormat } from '@leque/core';
import type { CloseCode, Position } from '@leque/protocol';
import { messagesOf, TextFormat, type TextFrame } from './text-format.ts';

/** A client that remembers what it was sent; the test decides whether it reads. */
export class FakeConnection implements Connection {
  readonly format: FrameFormat;
  readonly #writes: (readonly TextFrame[])[] = [];
  bufferedBytes = 0;
  closed: { readonly code: CloseCode; readonly reason: string } | undefined;
  stamp?(frame: Frame): Frame;
  /** False for a client that does not read: what is written stays in the buffer. */
  reads = true;

  constructor(format: FrameFormat = new TextFormat()) {
    this.format = format;
  }

  /** The texts of each write. One flush is one write. */
  get writes(): string[][] {
    return this.#writes.map((frames) => frames.map(({ text }) => text));
  }

  /** The texts of all writes, in order. */
  get sent(): string[] {
    return this.writes.flat();
  }

  /** The position of each text in `sent`. */
  get positions(): (Position | undefined)[] {
    return this.#writes.flatMap((frames) => frames.map(({ position }) => position));
  }

  write(frame: Frame): void {
    if (this.closed) throw new Error('written to after it was closed');
    this.#writes.push(messagesOf(frame));
    if (!this.reads) this.bufferedBytes += frame.byteLength;
  }

  close(code: CloseCode, reason: string): void {
    this.closed ??= { code, reason };
  }
}
