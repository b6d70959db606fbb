import { type Position, toCursor } from './position.ts';
import type { ServerMessage } from './server-messages.ts';

/** The parts of a publication that its envelope needs. */
export interface Enveloped {
  readonly channel: string;
  /** Absent for publications that are live only. */
  readonly position?: Position | undefined;
  /** The event's JSON: an object with at least one member. */
  readonly json: string;
}

/**
 * The JSON that raw clients get for a publication: the event with `channel` and `cursor` appended
 * as text, because parsing the event again would cost more than sending it. The last member of a
 * name counts, so that a publisher cannot forge these two.
 */
export function encodeEnvelope(publication: Enveloped): string {
  return `${publication.json.slice(0, -1)}${encodeEnvelopeEnd(publication)}`;
}

/** The text that replaces the last brace of the event's JSON. */
export function encodeEnvelopeEnd({ channel, position }: Omit<Enveloped, 'json'>): string {
  const cursor = position === undefined ? '' : `,"cursor":"${toCursor(position)}"`;
  return `,"channel":"${channel}"${cursor}}`;
}

/** The JSON of one of the server's own messages to a raw client, such as an answer or a heartbeat. */
export function encodeReply(type: ServerMessage, data: object, extra: object = {}): string {
  return JSON.stringify({
    type,
    data,
    timestamp: new Date().toISOString(),
    message_id: crypto.randomUUID(),
    ...extra,
  });
}
