import type { Frame, FrameFormat, Publication } from '@leque/core';
import { toCursor } from '@leque/protocol';

export const NAMESPACE = '/events';
/** Every task event goes out a second time under this name. */
const TASK_EVENT = 'task.event';

/** Encoded Socket.IO packets, ready for Engine.IO, whichever transport it uses. */
export interface SocketIoFrame extends Frame {
  readonly packets: readonly string[];
}

export const socketIoFormat: FrameFormat = {
  encodePublication(publication) {
    const payload = JSON.stringify(payloadOf(publication));
    const names = publication.type.startsWith('task.')
      ? [publication.type, TASK_EVENT]
      : [publication.type];
    return frameOf(names.map((name) => encodeEvent(name, payload)));
  },
  encodeResync(channel, position) {
    const payload = { channel, cursor: position && toCursor(position), timestamp: now() };
    return encodeAnswer('resync', payload);
  },
};

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
  const byteLength = packets.reduce((sum, packet) => sum + Buffer.byteLength(packet), 0);
  return { packets, byteLength };
}

function now(): string {
  return new Date().toISOString();
}
