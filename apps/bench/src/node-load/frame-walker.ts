/** A WebSocket frame as a client receives it. */
export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

export const OPCODE = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

const LONGEST_FRAME_BYTES = 64 * 1024 * 1024;
const LONGEST_HEADER_BYTES = 10;

/** Takes frames off a stream whose reads end anywhere. */
export class FrameWalker {
  #chunks: Buffer[] = [];
  #kept = 0;
  /** With fewer bytes there is no further frame. */
  #needed = 2;

  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#kept += chunk.length;
    // Joining a long frame's chunks at each read would take the square of its length.
    return this.#kept < this.#needed ? [] : this.#takeFrames(Buffer.concat(this.#chunks));
  }

  #takeFrames(bytes: Buffer): Frame[] {
    const frames: Frame[] = [];
    let rest = bytes;
    let size = frameSize(rest);
    while (size !== undefined && rest.length >= size.whole) {
      const payload = rest.subarray(size.whole - size.payload, size.whole);
      frames.push({ opcode: (rest[0] ?? 0) & 0x0f, payload });
      rest = rest.subarray(size.whole);
      size = frameSize(rest);
    }
    this.#chunks = [rest];
    this.#kept = rest.length;
    this.#needed = size?.whole ?? Math.min(rest.length + 1, LONGEST_HEADER_BYTES);
    return frames;
  }
}

/** Undefined while the header is not whole. Servers do not mask. */
function frameSize(bytes: Buffer): { whole: number; payload: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes.readUInt8(1) & 0x7f;
  const header = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < header) return undefined;
  const payload = header === 2 ? short : header === 4 ? bytes.readUInt16BE(2) : long(bytes);
  return { whole: header + payload, payload };
}

function long(bytes: Buffer): number {
  const length = Number(bytes.readBigUInt64BE(2));
  if (length > LONGEST_FRAME_BYTES) throw new Error(`a frame of ${length} bytes`);
  return length;
}

/** A pong as clients send it; a mask of zeros leaves the payload as it is. */
export function maskedPong(payload: Buffer): Buffer {
  const header = Buffer.from([0x80 | OPCODE.pong, 0x80 | payload.length, 0, 0, 0, 0]);
  return Buffer.concat([header, payload]);
}
