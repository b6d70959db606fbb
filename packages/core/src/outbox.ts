import type { Connection } from './connection.ts';
import type { Frame } from './publication.ts';

/** A session's write queue, bounded in bytes, what the kernel has not taken counted in (MEM). */
export class Outbox {
  readonly #connection: Connection;
  readonly #limitBytes: number;
  #frames: Frame[] = [];
  #bytes = 0;

  constructor(connection: Connection, limitBytes: number) {
    this.#connection = connection;
    this.#limitBytes = limitBytes;
  }

  get queuedBytes(): number {
    return this.#bytes + this.#connection.bufferedBytes;
  }

  get empty(): boolean {
    return this.#frames.length === 0;
  }

  /** False, and nothing queued, when the frame would pass the limit. */
  push(frame: Frame): boolean {
    if (this.queuedBytes + frame.byteLength > this.#limitBytes) return false;
    this.#frames.push(frame);
    this.#bytes += frame.byteLength;
    return true;
  }

  /** Hands everything queued to the connection at once. */
  flush(): void {
    if (this.empty) return;
    const frames = this.#frames;
    this.clear();
    this.#connection.write(frames);
  }

  clear(): void {
    this.#frames = [];
    this.#bytes = 0;
  }
}
