import {
  allocateTextFrame,
  encodeTextFrame,
  type Frame,
  splitTextFrames,
  textPayload,
} from '@leque/core';

/** Engine.IO's packet type `message`, which carries a Socket.IO packet. */
const ENGINE_MESSAGE = '4';
/** The end of a packet whose last argument is an offset; all other last arguments are objects. */
const OFFSET_END = '"]';
const QUOTE = 0x22;

/** A channel's position after a frame was received. */
export interface Mark {
  readonly channel: string;
  readonly cursor: string;
}

/** Encoded Socket.IO packets, for both ways to the client. */
export interface SocketIoFrame extends Frame {
  /** The packets as text, for Engine.IO. */
  readonly packets: readonly string[];
  /** The packets as finished WebSocket frames, in one piece. */
  readonly wire: Buffer;
  /** The WebSocket frames one by one. */
  readonly events: readonly Buffer[];
  /** Undefined when the frame moves no position. */
  readonly mark: Mark | undefined;
}

/** One or more packets, encoded once. */
export class PacketFrame implements SocketIoFrame {
  readonly packets: readonly string[];
  readonly wire: Buffer;
  readonly mark: Mark | undefined;
  #events: readonly Buffer[] | undefined;

  constructor(packets: readonly string[], mark?: Mark) {
    const frames = packets.map((packet) => encodeTextFrame(ENGINE_MESSAGE + packet));
    const [only] = frames;
    this.packets = packets;
    this.wire = frames.length === 1 && only !== undefined ? only : Buffer.concat(frames);
    this.mark = mark;
  }

  get byteLength(): number {
    return this.wire.length;
  }

  get events(): readonly Buffer[] {
    this.#events ??= splitTextFrames(this.wire);
    return this.#events;
  }
}

/** Several frames in one; their packets are collected only for clients that need them. */
export class JoinedFrame implements SocketIoFrame {
  readonly wire: Buffer;
  readonly #parts: readonly SocketIoFrame[];

  constructor(parts: readonly SocketIoFrame[], wire: Buffer) {
    this.#parts = parts;
    this.wire = wire;
  }

  get packets(): readonly string[] {
    return this.#parts.flatMap(({ packets }) => packets);
  }

  get events(): readonly Buffer[] {
    return this.#parts.flatMap(({ events }) => events);
  }

  /** The frames belong to one channel, so that the last of them says where it stands. */
  get mark(): Mark | undefined {
    return this.#parts.findLast(({ mark }) => mark !== undefined)?.mark;
  }

  get byteLength(): number {
    return this.wire.length;
  }
}

/** A frame with one client's own tail at each of its offsets; the bytes before it are copied. */
export class TailedFrame implements SocketIoFrame {
  readonly wire: Buffer;
  readonly mark: Mark | undefined;
  readonly #shared: SocketIoFrame;
  readonly #tail: string;

  /** @param tail in ASCII, added to each offset */
  constructor(shared: SocketIoFrame, tail: string) {
    const events = shared.events.map((event) => withTail(event, tail));
    const [only] = events;
    this.wire = events.length === 1 && only !== undefined ? only : Buffer.concat(events);
    this.mark = shared.mark;
    this.#shared = shared;
    this.#tail = tail;
  }

  get packets(): readonly string[] {
    const end = this.#tail + OFFSET_END;
    return this.#shared.packets.map((packet) =>
      packet.endsWith(OFFSET_END) ? packet.slice(0, -OFFSET_END.length) + end : packet,
    );
  }

  get events(): readonly Buffer[] {
    return splitTextFrames(this.wire);
  }

  get byteLength(): number {
    return this.wire.length;
  }
}

function withTail(event: Buffer, tail: string): Buffer {
  const payload = textPayload(event);
  if (payload.at(-OFFSET_END.length) !== QUOTE) return event;
  const frame = allocateTextFrame(payload.length + tail.length);
  const start = frame.length - payload.length - tail.length;
  payload.copy(frame, start, 0, payload.length - OFFSET_END.length);
  frame.write(tail + OFFSET_END, frame.length - tail.length - OFFSET_END.length, 'latin1');
  return frame;
}
