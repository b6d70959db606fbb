import type { Socket } from 'node:net';

/** Bytes read and not passed on, beyond which a flow stops reading. */
const HELD_BYTES = 1024 * 1024;
/** Seconds' worth of bytes that a slow flow passes on at once. */
const SLICE = 1 / 50;

/** Conditions for all flows; the proxy changes them while bytes pass. */
export interface Conditions {
  /** Delay of each byte in milliseconds. */
  delayMs: number;
  /** Rate for each direction of each connection; Infinity for no limit. */
  bytesPerSecond: number;
}

interface Held {
  readonly chunk: Buffer;
  /** Time from which on it may be passed on, by performance.now(). */
  readonly due: number;
}

/** One direction of a connection: passes bytes in order, with the set delay and rate. */
export class Flow {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #conditions: Conditions;
  readonly #held: Held[] = [];
  #heldBytes = 0;
  #stalled = false;
  #swallowing = false;
  #ended = false;
  /** Time at which the bytes passed on so far are through, at the set rate. */
  #free = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: Socket, sink: Socket, conditions: Conditions) {
    this.#source = source;
    this.#sink = sink;
    this.#conditions = conditions;
    source.on('data', (chunk: Buffer) => this.#hold(chunk));
    source.on('end', () => {
      this.#ended = true;
      if (this.#swallowing) source.destroy();
      else this.#pass();
    });
    source.on('close', () => {
      if (!this.#ended && !this.#swallowing) sink.destroy(); // broken: nothing to wait for
    });
    sink.on('drain', () => this.#pass());
    sink.on('close', () => this.#forget());
  }

  /** Reads and passes on nothing until `resume`. */
  stall(): void {
    this.#stalled = true;
    this.#source.pause();
  }

  resume(): void {
    this.#stalled = false;
    if (this.#heldBytes < HELD_BYTES) this.#source.resume();
    this.#pass();
  }

  /** From now on reads all bytes and drops them. */
  swallow(): void {
    this.#swallowing = true;
    this.#forget();
    this.#source.resume();
  }

  #hold(chunk: Buffer): void {
    if (this.#swallowing) return;
    this.#held.push({ chunk, due: performance.now() + this.#conditions.delayMs });
    this.#heldBytes += chunk.length;
    if (this.#heldBytes >= HELD_BYTES) this.#source.pause();
    this.#pass();
  }

  /** Passes on the bytes that are due. */
  #pass(): void {
    clearTimeout(this.#timer);
    if (this.#stalled || this.#swallowing) return;
    for (let [next] = this.#held; next !== undefined; [next] = this.#held) {
      if (this.#sink.writableNeedDrain) return;
      const wait = Math.max(next.due, this.#free) - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#pass(), wait);
        return;
      }
      this.#write(next);
    }
    if (this.#ended) this.#sink.end();
  }

  #write({ chunk, due }: Held): void {
    const { bytesPerSecond } = this.#conditions;
    const size = Math.min(chunk.length, Math.ceil(bytesPerSecond * SLICE));
    this.#held.shift();
    if (size < chunk.length) this.#held.unshift({ chunk: chunk.subarray(size), due });
    this.#heldBytes -= size;
    this.#free = Math.max(this.#free, performance.now()) + (size / bytesPerSecond) * 1000;
    this.#sink.write(chunk.subarray(0, size));
    if (this.#heldBytes < HELD_BYTES) this.#source.resume();
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#held.length = 0;
    this.#heldBytes = 0;
  }
}
