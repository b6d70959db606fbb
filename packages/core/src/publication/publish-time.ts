/** Events that Leque has checked have this field behind their `data`. */
const FIELD = Buffer.from(',"timestamp":"');
/** `2026-01-01T00:00:00.000Z` */
const TIME_BYTES = 24;
/** Only ids follow the timestamp, so this much of the end is enough. */
const SEARCHED_BYTES = 1024;
/** An older timestamp says when something happened, not when it was published. */
const MAX_AGE_MS = 60_000;

const decoder = new TextDecoder();
let last = { text: '', ms: 0 };

/**
 * The publish time of an event in milliseconds since the Unix epoch, found without parsing the
 * JSON.
 * @param now the current time, in milliseconds since the Unix epoch
 * @returns undefined without a plausible timestamp
 */
export function publishTimeOf(json: Uint8Array, now: number): number | undefined {
  const bytes = Buffer.from(json.buffer, json.byteOffset, json.byteLength);
  const at = bytes.subarray(-SEARCHED_BYTES).lastIndexOf(FIELD);
  if (at === -1) return undefined;
  const start = Math.max(0, bytes.length - SEARCHED_BYTES) + at + FIELD.length;
  const ms = parse(decoder.decode(bytes.subarray(start, start + TIME_BYTES)));
  return Math.abs(now - ms) <= MAX_AGE_MS ? ms : undefined; // NaN is neither
}

/** Remembers the last result, because many events have the same millisecond. */
function parse(text: string): number {
  if (text !== last.text) last = { text, ms: text.endsWith('Z') ? Date.parse(text) : Number.NaN };
  return last.ms;
}
