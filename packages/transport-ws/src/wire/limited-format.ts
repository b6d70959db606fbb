import { encodeTextFrame, type FrameFormat, type Publication, textPayload } from '@leque/core';
import { encodeReply, ProtocolError, toCursor } from '@leque/protocol';
import { wsFormat } from './ws-format.ts';

/** An answer of the server has fewer bytes, unless it lists many channels. */
const MIN_LIMIT = 1024;
/** Clients that take more than this take every event. */
const MAX_LIMIT = 1_048_576;

/** Formats by base and limit: few, because limits are rounded down to powers of two. */
const formats = new Map<FrameFormat, Map<number, FrameFormat>>();

/**
 * Reads the most bytes of a message that a client says it takes.
 * @returns undefined when it takes everything
 * @throws ProtocolError `invalid_command`
 */
export function parseMessageLimit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const limit = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (limit >= MIN_LIMIT) return limit >= MAX_LIMIT ? undefined : limit;
  throw new ProtocolError(
    'invalid_command',
    `max_message must be a number of at least ${MIN_LIMIT}`,
  );
}

/**
 * `base` for clients that take no message of more than `limit` bytes. In place of a publication that
 * is larger they get a `resync` with its position, so that they go on after it; in place of a
 * live-only one `live.dropped`.
 */
export function limitedFormat(base: FrameFormat, limit: number): FrameFormat {
  const rounded = 2 ** Math.floor(Math.log2(limit));
  const known = formats.get(base) ?? new Map<number, FrameFormat>();
  formats.set(base, known);
  const format = known.get(rounded) ?? makeFormat(base, rounded);
  known.set(rounded, format);
  return format;
}

function makeFormat(base: FrameFormat, limit: number): FrameFormat {
  return {
    ...base,
    encodePublication(publication) {
      const bytes = textPayload(publication.frameIn(wsFormat) as Buffer).length;
      if (bytes <= limit) return publication.frameIn(base);
      return encodeTextFrame(replacement(publication, bytes));
    },
  };
}

/** Only a publication that others recover is missed. */
function replacement({ origin: channel, position, isLive, event }: Publication, bytes: number) {
  const why = { reason: 'too_large_for_client', bytes, message_id: event['message_id'] };
  if (isLive) return encodeReply('live.dropped', { channel, dropped: 1, ...why }, { channel });
  const cursor = position && toCursor(position);
  return encodeReply('resync', { channel, cursor, ...why }, { channel, cursor });
}
