import { constants, deflateRawSync } from 'node:zlib';

export interface FrameOptions {
  /** 1 is text, 2 binary, 0 a continuation, 8 close, 9 ping, 10 pong. */
  readonly opcode?: number;
  readonly final?: boolean;
  /** Whether the payload is compressed, which is the first reserved bit. */
  readonly compressed?: boolean;
  /** The other reserved bits: 0x20, 0x10 or both. */
  readonly reserved?: number;
  /** Four bytes; zeros, which change nothing, by default. `null` sends an unmasked frame. */
  readonly mask?: Buffer | null;
  /** The length in the header, where it is not that of the payload. */
  readonly length?: bigint;
}

const NO_MASK = Buffer.alloc(4);

/** A frame as a client sends it (RFC 6455, section 5.2), or as none should. */
export function clientFrame(payload: string | Buffer, options: FrameOptions = {}): Buffer {
  const { mask = NO_MASK, length } = options;
  const body = Buffer.from(payload);
  for (const at of body.keys()) body[at] = (body[at] ?? 0) ^ (mask?.[at % 4] ?? 0);
  const [lengthByte = 0, ...longer] = lengthField(length ?? BigInt(body.length));
  const head = [firstByte(options), (mask === null ? 0 : 0x80) | lengthByte, ...longer];
  return Buffer.concat([Buffer.from(head), mask ?? Buffer.alloc(0), body]);
}

/** What permessage-deflate sends for a payload (RFC 7692, section 7.2.1). */
export function deflated(payload: string | Buffer): Buffer {
  return deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

/** A compressed message of few bytes that inflates to `bytes`. */
export function bomb(bytes: number): Buffer {
  return clientFrame(deflated(Buffer.alloc(bytes, 0x20)), { compressed: true });
}

function firstByte(options: FrameOptions): number {
  const { opcode = 1, final = true, compressed = false, reserved = 0 } = options;
  return (final ? 0x80 : 0) | (compressed ? 0x40 : 0) | reserved | opcode;
}

function lengthField(length: bigint): readonly number[] {
  if (length < 126n) return [Number(length)];
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(length);
  return length < 65_536n ? [126, ...bytes.subarray(6)] : [127, ...bytes];
}
