/** A frame that a server has sent. */
export interface ServerFrame {
  readonly opcode: number;
  readonly final: boolean;
  /** The three reserved bits as they are: 0x40, 0x20, 0x10. */
  readonly reserved: number;
  readonly masked: boolean;
  readonly payload: Buffer;
}

const CLOSE = 8;
/** What RFC 6455, section 7.1.5, takes for the code of a close frame without one. */
const NO_CODE = 1005;

/** Splits what a server sends into frames, whatever the pieces in which it arrives. */
export class FrameReader {
  readonly #take: (frame: ServerFrame) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(take: (frame: ServerFrame) => void) {
    this.#take = take;
  }

  read(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const end = frameEnd(this.#rest);
      if (end === undefined || this.#rest.length < end.payload) return;
      this.#take(frameOf(this.#rest, end));
      this.#rest = this.#rest.subarray(end.payload);
    }
  }
}

/** The code of a close frame, undefined for any other frame. */
export function closeCodeOf({ opcode, payload }: ServerFrame): number | undefined {
  if (opcode !== CLOSE) return undefined;
  return payload.length < 2 ? NO_CODE : payload.readUInt16BE(0);
}

interface FrameEnd {
  readonly header: number;
  readonly payload: number;
}

function frameEnd(bytes: Buffer): FrameEnd | undefined {
  const length = (bytes[1] ?? 0) & 0x7f;
  const header = length < 126 ? 2 : length === 126 ? 4 : 10;
  if (bytes.length < header) return undefined;
  if (length < 126) return { header, payload: header + length };
  if (length === 126) return { header, payload: header + bytes.readUInt16BE(2) };
  return { header, payload: header + Number(bytes.readBigUInt64BE(2)) };
}

function frameOf(bytes: Buffer, { header, payload }: FrameEnd): ServerFrame {
  const [first = 0, second = 0] = bytes;
  return {
    opcode: first & 0x0f,
    final: (first & 0x80) !== 0,
    reserved: first & 0x70,
    masked: (second & 0x80) !== 0,
    payload: Buffer.from(bytes.subarray(header, payload)),
  };
}
