import { type Position, tryParseCursor } from './position.ts';

/** A stored publication as it travels between nodes. */
export interface Payload {
  readonly channel: string;
  readonly type: string;
  readonly position: Position | undefined;
  /** For a live-only event, where the channel stood when it was published, if that is known. */
  readonly after: Position | undefined;
  /** The event's JSON as UTF-8; a view of the payload. */
  readonly body: Uint8Array;
}

const VERSION = '1';
const LIVE_ONLY = '-';
const NEWLINE = 0x0a;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
const QUOTE = 0x22;

const decoder = new TextDecoder();

/**
 * Reads `1 EPOCH OFFSET TYPE CHANNEL\n{event JSON}`, which the Redis Function writes; EPOCH is
 * `-` and OFFSET 0 where no history is kept. For a live-only event the cursor after which it comes
 * follows the channel. A node frames the event without parsing its JSON.
 * Undefined when the payload has another form.
 */
export function tryDecodePayload(payload: Uint8Array): Payload | undefined {
  const end = payload.indexOf(NEWLINE);
  if (end < 0) return undefined;
  const header = decoder.decode(payload.subarray(0, end));
  const [version, epoch, offset, type, channel, cursor] = header.split(' ');
  if (version !== VERSION || !epoch || !offset || !type || !channel) return undefined;
  const body = payload.subarray(end + 1);
  const number = Number(offset);
  if (!Number.isSafeInteger(number) || !looksLikeEvent(body)) return undefined;
  const position = epoch === LIVE_ONLY ? undefined : { epoch, offset: number };
  const after = cursor === undefined ? undefined : tryParseCursor(cursor);
  return { channel, type, position, after, body };
}

/** Whether the text, without being parsed, looks like an object to which members can be appended. */
function looksLikeEvent(body: Uint8Array): boolean {
  const brace = skipSpace(body, 0);
  return (
    body[brace] === OPENING_BRACE &&
    body[skipSpace(body, brace + 1)] === QUOTE &&
    body[body.length - 1] === CLOSING_BRACE
  );
}

/** Index of the first byte at or after `at` that is not whitespace. */
function skipSpace(body: Uint8Array, at: number): number {
  let next = at;
  for (let byte = body[next]; isSpace(byte); byte = body[next]) next += 1;
  return next;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
