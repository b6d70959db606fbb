import { type FrameFormat, joinBuffers, type Publication } from '@leque/core';
import {
  memberTexts,
  repeatedAs,
  type ServerMessage,
  STORED_FIELDS,
  toCursor,
} from '@leque/protocol';
import { formatPartial, formatPosition, UNKNOWN } from './offset.ts';
import { JoinedFrame, PacketFrame, type SocketIoFrame } from './socketio-frame.ts';

/** The name of this transport in facts and metrics. */
export const TRANSPORT = 'socketio';
export const NAMESPACE = '/events';
const RESYNC: ServerMessage = 'resync';
const FIELDS = STORED_FIELDS.filter((name) => name !== 'type');

/** The format of a node that recovers no states. */
export const plainFormat: FrameFormat = formatWith(() => undefined);

/** Adds to each publication the offset that clients present when they come back. */
export const offsetFormat: FrameFormat = formatWith(formatPosition);

/** @param offsetOf gives the last argument of an event, from the channel's position after it */
function formatWith(
  offsetOf: (channel: string, cursor: string) => string | undefined,
): FrameFormat {
  return {
    transport: TRANSPORT,
    encodePublication(publication) {
      const { type, channel, position } = publication;
      const payload = encodePayload(publication);
      if (position === undefined) return new PacketFrame(encodeTwice(type, payload, undefined));
      const cursor = toCursor(position);
      const packets = encodeTwice(type, payload, offsetOf(channel, cursor));
      return new PacketFrame(packets, { channel, cursor });
    },
    join(frames, room) {
      const parts = frames as readonly SocketIoFrame[];
      const wires = parts.map(({ wire }) => wire);
      return new JoinedFrame(parts, joinBuffers(wires, room));
    },
    encodeResync(channel, position, until) {
      const payload = {
        channel,
        cursor: position && toCursor(position),
        incomplete_until: until && toCursor(until),
        timestamp: now(),
      };
      const cursor = payload.cursor ?? UNKNOWN;
      const packet = encodeEvent(RESYNC, JSON.stringify(payload), offsetOf(channel, cursor));
      return new PacketFrame([packet], { channel, cursor });
    },
    encodeDropped(channel, dropped) {
      return encodeAnswer('live.dropped', { channel, dropped, timestamp: now() });
    },
  };
}

/** Encodes an answer or another event of the server's own. */
export function encodeAnswer(name: ServerMessage, payload: object, offset?: string): SocketIoFrame {
  return new PacketFrame([encodeEvent(name, JSON.stringify(payload), offset)]);
}

/** Encodes an event of a type with `repeatedAs` as two events; a client may be cut off between them. */
function encodeTwice(type: string, payload: string, offset: string | undefined): string[] {
  const again = repeatedAs(type);
  if (again === undefined) return [encodeEvent(type, payload, offset)];
  const partial = offset && formatPartial(offset);
  return [encodeEvent(type, payload, partial), encodeEvent(again, payload, offset)];
}

/**
 * The fields of the event as they were sent, with its type under the name that the earlier system
 * gave it. Channels and cursors are ASCII.
 */
function encodePayload({ type, json, origin, position }: Publication): string {
  const { texts } = memberTexts(json);
  let payload = `{"event":${JSON.stringify(type)}`;
  for (const name of FIELDS) {
    const text = texts.get(name);
    if (text !== undefined) payload += `,"${name}":${text}`;
  }
  payload += `,"channel":"${origin}"`;
  return position === undefined ? `${payload}}` : `${payload},"cursor":"${toCursor(position)}"}`;
}

/** An EVENT packet of the Socket.IO protocol, revision 5: `2`, the namespace, the arguments. */
function encodeEvent(name: string, payload: string, offset: string | undefined): string {
  const end = offset === undefined ? '' : `,"${offset}"`;
  return `2${NAMESPACE},[${JSON.stringify(name)},${payload}${end}]`;
}

function now(): string {
  return new Date().toISOString();
}
