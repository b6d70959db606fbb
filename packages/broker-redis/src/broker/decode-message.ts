import { Publication } from '@leque/core';
import {
  describeProblems,
  FIREHOSE,
  MAX_EVENT_BYTES,
  type Payload,
  tryDecodePayload,
  tryParseChannel,
  tryParseEvent,
} from '@leque/protocol';

const decoder = new TextDecoder();

export type Decoded = { readonly publication: Publication } | { readonly problem: string };

/**
 * Decodes a message of a channel's Redis channel. It is a publication of Leque, or the bare event of
 * another service that used PUBLISH, which is live only and does not reach the firehose.
 * @param epoch the epoch of the message before. An equal epoch is replaced by it, because every
 *   session compares epochs, and strings that are the same object compare by their address.
 */
export function decodeMessage(channel: string, payload: Uint8Array, epoch?: string): Decoded {
  const decoded = tryDecodePayload(payload);
  if (decoded === undefined) return readForeign(channel, payload);
  if (channel === FIREHOSE) return readRepeated(decoded);
  const { type, body: json } = decoded;
  const position =
    epoch !== undefined && decoded.position?.epoch === epoch
      ? { epoch, offset: decoded.position.offset }
      : decoded.position;
  return { publication: new Publication({ channel, type, position, json }) };
}

/** The firehose repeats what is stored in the channels of projects. */
function readRepeated({ channel: origin, type, position, body: json }: Payload): Decoded {
  if (tryParseChannel(origin)?.kind !== 'project')
    return { problem: 'a publication in the firehose names no project' };
  const options = { channel: FIREHOSE, origin, originPosition: position, type, json };
  return { publication: new Publication({ ...options, position: undefined }) };
}

function readForeign(channel: string, payload: Uint8Array): Decoded {
  if (payload.length > MAX_EVENT_BYTES) return { problem: 'too large' };
  const input = tryParseObject(payload);
  if (input === undefined) return { problem: 'not a JSON object' };
  // The Redis channel decides where the event goes, whatever the event itself says.
  const parsed = tryParseEvent({ ...input, channel }, 'refuse');
  if (!parsed.ok) return { problem: describeProblems(parsed.problems) };
  const { type, json } = parsed.event;
  return { publication: new Publication({ channel, type, position: undefined, json }) };
}

function tryParseObject(payload: Uint8Array): object | undefined {
  try {
    const value: unknown = JSON.parse(decoder.decode(payload));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
