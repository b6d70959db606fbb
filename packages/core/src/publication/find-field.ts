const QUOTE = 0x22;
const ESCAPE = 0x5c;
const fields = new Map<string, Buffer>();

/**
 * Finds the text of a field in JSON without parsing it. Undefined when the field is absent, and
 * when parsing might give another result: it occurs twice, or is written with spaces or escapes.
 */
export function findField(json: Uint8Array, name: string): string | undefined {
  const field = fieldNamed(name);
  const bytes = Buffer.from(json.buffer, json.byteOffset, json.byteLength);
  const at = bytes.lastIndexOf(field);
  if (at === -1 || bytes.indexOf(field) !== at) return undefined;
  const start = at + field.length;
  const end = bytes.indexOf(QUOTE, start);
  const text = bytes.subarray(start, end);
  return end === -1 || text.includes(ESCAPE) ? undefined : text.toString();
}

function fieldNamed(name: string): Buffer {
  let field = fields.get(name);
  if (field === undefined) {
    field = Buffer.from(`"${name}":"`);
    fields.set(name, field);
  }
  return field;
}
