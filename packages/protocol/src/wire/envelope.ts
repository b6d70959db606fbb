import { type Position, toCursor } from './position.ts';

/** What an envelope needs to know of a publication. */
export interface Enveloped {
  readonly channel: string;
  /** Absent for publications that are live only. */
  readonly position?: Position | undefined;
  /** The event's JSON: an object with at least one member. */
  readonly json: string;
}

/**
 * The JSON that raw clients get for a publication: the event with `channel` and `cursor` spliced
 * in as text, because parsing it again would cost more than sending it. They come last, so that
 * they win over members of the same name that a foreign publisher may have put in.
 */
export function encodeEnvelope(publication: Enveloped): string {
  return `${publication.json.slice(0, -1)}${encodeEnvelopeEnd(publication)}`;
}

/** What takes the place of the last brace of the event's JSON. */
export function encodeEnvelopeEnd({ channel, position }: Omit<Enveloped, 'json'>): string {
  const cursor = position === undefined ? '' : `,"cursor":"${toCursor(position)}"`;
  return `,"channel":"${channel}"${cursor}}`;
}

/** The JSON of what the server itself says to a raw client: answers, heartbeats, errors. */
export function encodeReply(type: string, data: object, extra: object = {}): string {
  return JSON.stringify({
    type,
    data,
    timestamp: new Date().toISOString(),
    message_id: crypto.randomUUID(),
    ...extra,
  });
}
