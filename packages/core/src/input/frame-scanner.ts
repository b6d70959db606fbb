const MASKED = 0x80;
const LENGTH = 0x7f;
const MASK_BYTES = 4;

/**
 * Finds the ends of WebSocket frames (RFC 6455, section 5.2) in chunks that split them anywhere. It
 * checks nothing: the parser behind it refuses frames that are wrong.
 */
export class FrameScanner {
  /** Bytes of the header that were seen. */
  #seen = 0;
  /** Bytes of the header that hold the payload's length, beside the first two. */
  #lengthBytes = 0;
  #masked = false;
  /** Payload bytes that are still to come, once the header is complete. */
  #left = 0;
  #headerDone = false;

  /** Whether the next byte begins a frame. */
  get atStart(): boolean {
    return this.#seen === 0;
  }

  /** @returns the index after the frame that begins or goes on at `start`, at most the chunk's end */
  advance(chunk: Uint8Array, start: number): number {
    let at = start;
    while (!this.#headerDone && at < chunk.length) {
      this.#header(chunk[at] as number);
      at += 1;
    }
    if (!this.#headerDone) return at;
    const taken = Math.min(this.#left, chunk.length - at);
    this.#left -= taken;
    if (this.#left === 0) this.#reset();
    return at + taken;
  }

  #header(byte: number): void {
    if (this.#seen === 1) this.#second(byte);
    else if (this.#seen >= 2 && this.#seen < 2 + this.#lengthBytes) {
      this.#left = this.#left * 256 + byte;
    }
    this.#seen += 1;
    const length = 2 + this.#lengthBytes + (this.#masked ? MASK_BYTES : 0);
    this.#headerDone = this.#seen >= 2 && this.#seen === length;
  }

  #second(byte: number): void {
    const length = byte & LENGTH;
    this.#masked = (byte & MASKED) !== 0;
    this.#lengthBytes = length === 126 ? 2 : length === 127 ? 8 : 0;
    this.#left = this.#lengthBytes === 0 ? length : 0;
  }

  #reset(): void {
    this.#seen = 0;
    this.#lengthBytes = 0;
    this.#headerDone = false;
  }
}
