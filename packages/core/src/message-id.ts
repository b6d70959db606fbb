const FIELD = Buffer.from('"message_id":"');
const QUOTE = 0x22;
const ESCAPE = 0x5c;

/**
 * The `message_id` of an event, found without parsing it where that is safe: once in it, and
 * without escapes. Undefined when it has none.
 */
export function messageIdOf(event: {
  readonly body: Uint8Array;
  readonly event: Readonly<Record<string, unknown>>;
}): string | undefined {
  const { buffer, byteOffset, byteLength } = event.body;
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  const at = bytes.lastIndexOf(FIELD);
  const start = at + FIELD.length;
  const end = at === -1 ? -1 : bytes.indexOf(QUOTE, start);
  if (end !== -1 && bytes.indexOf(FIELD) === at) {
    const text = bytes.subarray(start, end);
    if (!text.includes(ESCAPE)) return text.toString();
  }
  const { message_id: id } = event.event;
  return typeof id === 'string' ? id : undefined;
}
