const FIN_TEXT = 0x81;
const FIN_PING = 0x89;
/** The longest header of a server's frame: two bytes, and eight bytes of length. */
const MAX_HEADER = 10;

/** Encodes a final, unmasked text frame, as servers send it (RFC 6455, section 5.2). */
export function encodeTextFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const frame = allocateTextFrame(length);
  frame.write(text, frame.length - length);
  return frame;
}

/**
 * Allocates a text frame and writes its header. The caller writes the payload, its last `length`
 * bytes.
 */
export function allocateTextFrame(length: number): Buffer {
  const headerLength = length < 126 ? 2 : length < 65_536 ? 4 : MAX_HEADER;
  const frame = Buffer.allocUnsafe(headerLength + length);
  frame[0] = FIN_TEXT;
  if (headerLength === 2) {
    frame[1] = length;
  } else if (headerLength === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  return frame;
}

/**
 * Copies the frames one after the other to the beginning of `room`, which has to be large enough.
 */
export function joinBuffers(frames: readonly Buffer[], room: Buffer): Buffer {
  let end = 0;
  for (const frame of frames) {
    room.set(frame, end);
    end += frame.length;
  }
  return room.subarray(0, end);
}

/** Splits bytes that consist of frames made by `allocateTextFrame`. */
export function splitTextFrames(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = start + frameLength(bytes, start);
    frames.push(bytes.subarray(start, end));
    start = end;
  }
  return frames;
}

function frameLength(bytes: Buffer, start: number): number {
  const length = bytes[start + 1] ?? 0;
  if (length < 126) return 2 + length;
  if (length === 126) return 4 + bytes.readUInt16BE(start + 2);
  return MAX_HEADER + Number(bytes.readBigUInt64BE(start + 2));
}

/** The payload of a frame made by `allocateTextFrame`. */
export function textPayload(frame: Buffer): Buffer {
  const length = frame[1] ?? 0;
  return frame.subarray(length < 126 ? 2 : length === 126 ? 4 : MAX_HEADER);
}

export const PING_FRAME = Buffer.from([FIN_PING, 0]);
