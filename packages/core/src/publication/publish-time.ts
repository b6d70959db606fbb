/** Where every event that a publisher of Leque has checked says when it was made. */
const FIELD = Buffer.from(',"timestamp":"');
/** `2026-01-01T00:00:00.000Z` */
const TIME_BYTES = 24;
/** Behind it stand the ids alone. */
const SEARCHED_BYTES = 1024;
/** What an event says itself of longer ago is when something happened, not when it was published. */
const MAX_AGE_MS = 60_000;

const decoder = new TextDecoder();
let last = { text: '', ms: 0 };

/**
 * When an event was published, in milliseconds since the Unix epoch, found without parsing it.
 * @param now the time now, likewise
 * @returns undefined when it does not say so, or a time that cannot be that
 */
export function publishTimeOf(json: Uint8Array, now: number): number | undefined {
  const bytes = Buffer.from(json.buffer, json.byteOffset, json.byteLength);
  const at = bytes.subarray(-SEARCHED_BYTES).lastIndexOf(FIELD);
  if (at === -1) return undefined;
  const start = Math.max(0, bytes.length - SEARCHED_BYTES) + at + FIELD.length;
  const ms = parse(decoder.decode(bytes.subarray(start, start + TIME_BYTES)));
  return Math.abs(now - ms) <= MAX_AGE_MS ? ms : undefined; // NaN is neither
}

/** Many events are of the same millisecond. */
function parse(text: string): number {
  if (text !== last.text) last = { text, ms: text.endsWith('Z') ? Date.parse(text) : Number.NaN };
  return last.ms;
}
