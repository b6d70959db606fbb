import type { Connection } from '../ports/connection.ts';
import type { Frame } from '../publication/publication.ts';
import type { FanOutCounters, Flushed, TransportCounters } from './fan-out-counters.ts';
import type { FrameJoiner } from './frame-joiner.ts';

/**
 * A session's write queue, bounded in bytes. Bytes that the kernel has not taken and bytes that the
 * session's subscriptions hold back count, too (MEM).
 */
export class Outbox implements Flushed {
  /** Set by the flusher from the first touch until the flush. */
  awaitsFlush = false;
  /**
   * Time of the last flush in milliseconds on the monotonic clock; minus infinity before the first.
   */
  flushedAt = Number.NEGATIVE_INFINITY;
  /** The turns of the event loop since the last flush that brought something. */
  turns = 0;
  #lastTurn = -1;
  /** Bytes of publications that the session's subscriptions hold back. */
  heldBytes = 0;
  readonly #connection: Connection;
  readonly #limitBytes: number;
  /** Usually there is only one frame; without this field each flush would cost an array. */
  #first: Frame | undefined;
  #others: Frame[] | undefined;
  #bytes = 0;
  #messages = 0;
  #publishedAtMs = 0;
  readonly #counters: FanOutCounters;
  /** Counters of this connection's transport. */
  readonly counters: TransportCounters;

  constructor(connection: Connection, limitBytes: number, counters: FanOutCounters) {
    this.#connection = connection;
    this.#limitBytes = limitBytes;
    this.#counters = counters;
    this.counters = counters.of(connection.format.transport);
  }

  /** Counts the turn of the event loop, unless it has been counted. */
  touchedIn(turn: number): void {
    if (turn === this.#lastTurn) return;
    this.#lastTurn = turn;
    this.turns += 1;
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

  /** Bytes queued here or not yet taken by the kernel, without held ones. */
  get unsentBytes(): number {
    return this.#bytes + this.#connection.bufferedBytes;
  }

  get empty(): boolean {
    return this.#first === undefined;
  }

  /**
   * @param messages number of messages in the frame
   * @param publishedAtMs publish time of the oldest of them, in whole milliseconds on the monotonic
   *   clock; 0 when unknown
   * @returns false when the frame would pass the limit; it is not queued then
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

  /** Passes everything queued to the connection, in one write. */
  flush(now: number, joiner: FrameJoiner): void {
    const first = this.#first;
    this.turns = 0;
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
      connection.write(joiner.joinToKeep(format, frames)); // it waits behind earlier bytes
      return;
    }
    connection.write(joiner.join(format, frames));
    if (connection.bufferedBytes > 0) joiner.keep(format);
  }
}
