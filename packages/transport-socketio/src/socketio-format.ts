import type { Frame, FrameFormat, Publication } from '@leque/core';
import { encodeTextFrame, joinBuffers, toCursor } from '@leque/protocol';

export const NAMESPACE = '/events';
/** Every task event goes out a second time under this name. */
const TASK_EVENT = 'task.event';
/** Engine.IO's packet type `message`, which is what a Socket.IO packet travels in. */
const ENGINE_MESSAGE = '4';

/** Encoded Socket.IO packets, whichever way they go out. */
export interface SocketIoFrame extends Frame {
  /** For Engine.IO, which knows every transport. */
  readonly packets: readonly string[];
  /** The same as finished WebSocket frames. */
  readonly wire: Buffer;
}

export const socketIoFormat: FrameFormat = {
  encodePublication(publication) {
    const payload = JSON.stringify(payloadOf(publication));
    const names = publication.type.startsWith('task.')
      ? [publication.type, TASK_EVENT]
      : [publication.type];
    return frameOf(names.map((name) => encodeEvent(name, payload)));
  },
  join(frames, room) {
    const parts = frames as readonly SocketIoFrame[];
    const wires = parts.map(({ wire }) => wire);
    return new JoinedFrame(parts, joinBuffers(wires, room));
  },
  encodeResync(channel, position, until) {
    return encodeAnswer('resync', {
      channel,
      cursor: position && toCursor(position),
      incomplete_until: until && toCursor(until),
      timestamp: now(),
    });
  },
};

/** Its packets are put together only for the clients that need them. */
class JoinedFrame implements SocketIoFrame {
  readonly wire: Buffer;
  readonly #parts: readonly SocketIoFrame[];

  constructor(parts: readonly SocketIoFrame[], wire: Buffer) {
    this.#parts = parts;
    this.wire = wire;
  }

  get packets(): readonly string[] {
    return this.#parts.flatMap(({ packets }) => packets);
  }

  get byteLength(): number {
    return this.wire.length;
  }
}

/** What the server itself says to a client. */
export function encodeAnswer(name: string, payload: object): SocketIoFrame {
  return frameOf([encodeEvent(name, JSON.stringify(payload))]);
}

/** The earlier system's `{event, data, timestamp}`, and what is new beside it. */
function payloadOf({ type, event, origin, position }: Publication): object {
  return {
    event: type,
    data: event['data'],
    timestamp: event['timestamp'],
    message_id: event['message_id'],
    project_id: event['project_id'],
    story_id: event['story_id'],
    channel: origin,
    cursor: position && toCursor(position),
  };
}

/** An EVENT packet of the Socket.IO protocol, revision 5: `2`, the namespace, the arguments. */
function encodeEvent(name: string, payload: string): string {
  return `2${NAMESPACE},[${JSON.stringify(name)},${payload}]`;
}

function frameOf(packets: readonly string[]): SocketIoFrame {
  const frames = packets.map((packet) => encodeTextFrame(ENGINE_MESSAGE + packet));
  const [only] = frames;
  return toFrame(packets, frames.length === 1 && only !== undefined ? only : Buffer.concat(frames));
}

function toFrame(packets: readonly string[], wire: Buffer): SocketIoFrame {
  return { packets, wire, byteLength: wire.length };
}

function now(): string {
  return new Date().toISOString();
}
