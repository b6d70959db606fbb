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
 * What arrived in a channel's Redis channel: a publication of Leque's, or the bare event of a
 * foreign service that used PUBLISH, which is live only, and does not reach the firehose.
 * @param epoch of what came before it. The same text again is compared by its address, which every
 *   session does.
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

/** The firehose repeats what was stored in a project's channel. */
function readRepeated({ channel: origin, type, position, body: json }: Payload): Decoded {
  if (tryParseChannel(origin)?.kind !== 'project') return { problem: 'of no project' };
  const init = { channel: FIREHOSE, origin, originPosition: position, type, json };
  return { publication: new Publication({ ...init, position: undefined }) };
}

function readForeign(channel: string, payload: Uint8Array): Decoded {
  if (payload.length > MAX_EVENT_BYTES) return { problem: 'too large' };
  const input = parseObject(payload);
  if (input === undefined) return { problem: 'not a JSON object' };
  // The channel that it came in decides, whatever the event says of where it should go.
  const parsed = tryParseEvent({ ...input, channel });
  if (!parsed.ok) return { problem: describeProblems(parsed.problems) };
  const { type, json } = parsed.event;
  return { publication: new Publication({ channel, type, position: undefined, json }) };
}

function parseObject(payload: Uint8Array): object | undefined {
  try {
    const value: unknown = JSON.parse(decoder.decode(payload));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
