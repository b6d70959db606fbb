import type { Connection } from '../ports/connection.ts';
import type { Frame } from '../publication/publication.ts';
import type { FanOutCounters, Flushed, TransportCounters } from './fan-out-counters.ts';
import type { FrameJoiner } from './frame-joiner.ts';

/**
 * A session's write queue, bounded in bytes; what the kernel has not taken, and what the session's
 * subscriptions hold back, is counted in (MEM).
 */
export class Outbox implements Flushed {
  /** The flusher's mark: it will come by, however often this is touched until then. */
  awaitsFlush = false;
  /** When it was last flushed, on the monotonic clock; long ago at first. */
  flushedAt = Number.NEGATIVE_INFINITY;
  /** What is not here yet: held back, to be pushed later. */
  heldBytes = 0;
  readonly #connection: Connection;
  readonly #limitBytes: number;
  /** Mostly there is one frame; an array for it would be made and thrown away at each flush. */
  #first: Frame | undefined;
  #others: Frame[] | undefined;
  #bytes = 0;
  #messages = 0;
  #publishedAtMs = 0;
  readonly #counters: FanOutCounters;
  /** Of its transport. */
  readonly counters: TransportCounters;

  constructor(connection: Connection, limitBytes: number, counters: FanOutCounters) {
    this.#connection = connection;
    this.#limitBytes = limitBytes;
    this.#counters = counters;
    this.counters = counters.of(connection.format.transport);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get messages(): number {
    return this.#messages;
  }

  get publishedAtMs(): number {
    return this.#publishedAtMs;
  }

  get queuedBytes(): number {
    return this.unsentBytes + this.heldBytes;
  }

  /** Without what is held back. */
  get unsentBytes(): number {
    return this.#bytes + this.#connection.bufferedBytes;
  }

  get empty(): boolean {
    return this.#first === undefined;
  }

  /**
   * @param messages how many are in the frame
   * @param publishedAtMs of the oldest of them, in whole milliseconds on the monotonic clock; 0 when
   *   nobody knows
   * @returns false, with nothing queued, when the frame would pass the limit
   */
  push(frame: Frame, messages: number, publishedAtMs: number): boolean {
    if (this.queuedBytes + frame.byteLength > this.#limitBytes) return false;
    if (this.#first === undefined) this.#first = frame;
    else if (this.#others === undefined) this.#others = [frame];
    else this.#others.push(frame);
    this.#bytes += frame.byteLength;
    this.#messages += messages;
    if (this.#publishedAtMs === 0) this.#publishedAtMs = publishedAtMs;
    return true;
  }

  /** Hands everything queued to the connection, in one write. */
  flush(now: number, joiner: FrameJoiner): void {
    const first = this.#first;
    if (first === undefined) return;
    const others = this.#others;
    this.#counters.wrote(this, now);
    this.clear();
    this.flushedAt = now;
    if (others === undefined) this.#connection.write(first);
    else this.#writeJoined([first, ...others], joiner);
  }

  clear(): void {
    this.#first = undefined;
    this.#others = undefined;
    this.#bytes = 0;
    this.#messages = 0;
    this.#publishedAtMs = 0;
  }

  #writeJoined(frames: readonly Frame[], joiner: FrameJoiner): void {
    const connection = this.#connection;
    const { format } = connection;
    if (connection.bufferedBytes > 0) {
      connection.write(joiner.joinToKeep(format, frames)); // behind what waits already
      return;
    }
    connection.write(joiner.join(format, frames));
    if (connection.bufferedBytes > 0) joiner.keep(format);
  }
}
