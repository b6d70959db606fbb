const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const LIST_OPENS = 0x5b;
const LIST_CLOSES = 0x5d;
const OBJECT_OPENS = 0x7b;
const OBJECT_CLOSES = 0x7d;

export interface MemberTexts {
  /** The JSON text of each member's value; of a name that occurs twice, that of the last. */
  readonly texts: ReadonlyMap<string, string>;
  /** Names that occur more than once. */
  readonly doubled: readonly string[];
}

/**
 * Splits a JSON object into the texts of its members. Parsing and printing a value again would change
 * its numbers; its text stays as it was sent.
 * @param json a valid JSON object; of other texts the answer is undefined but harmless
 */
export function memberTexts(json: string): MemberTexts {
  const texts = new Map<string, string>();
  const doubled: string[] = [];
  let at = skipSpace(json, json.indexOf('{') + 1);
  while (json.charCodeAt(at) === QUOTE) {
    const nameEnd = endOfString(json, at);
    const name = decodeName(json, at, nameEnd);
    const colon = json.indexOf(':', nameEnd);
    if (colon === -1) break;
    const start = skipSpace(json, colon + 1);
    const end = endOfValue(json, start);
    if (texts.has(name)) doubled.push(name);
    texts.set(name, json.slice(start, end));
    at = skipSpace(json, end);
    if (json.charCodeAt(at) === COMMA) at = skipSpace(json, at + 1);
  }
  return { texts, doubled };
}

function decodeName(json: string, start: number, end: number): string {
  const name = json.slice(start + 1, end - 1);
  return name.includes('\\') ? (JSON.parse(json.slice(start, end)) as string) : name;
}

/** @returns the place after the value that begins at `start` */
function endOfValue(json: string, start: number): number {
  const first = json.charCodeAt(start);
  if (first === QUOTE) return endOfString(json, start);
  if (first === OBJECT_OPENS || first === LIST_OPENS) return endOfNested(json, start);
  let at = start;
  while (at < json.length && !endsWord(json.charCodeAt(at))) at += 1;
  return at;
}

function endOfNested(json: string, start: number): number {
  let depth = 0;
  for (let at = start; at < json.length; ) {
    const character = json.charCodeAt(at);
    if (character === OBJECT_OPENS || character === LIST_OPENS) depth += 1;
    if (character === OBJECT_CLOSES || character === LIST_CLOSES) depth -= 1;
    at = character === QUOTE ? endOfString(json, at) : at + 1;
    if (depth === 0) return at;
  }
  return json.length;
}

/**
 * Finds the end of a JSON string without parsing it.
 * @param start the place of its first quote
 * @returns the place after its last quote; the end of the text when there is none
 */
export function endOfString(json: string, start: number): number {
  let end = json.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(json, end)) end = json.indexOf('"', end + 1);
  return end === -1 ? json.length : end + 1;
}

function isEscaped(json: string, at: number): boolean {
  let first = at;
  while (json.charCodeAt(first - 1) === BACKSLASH) first -= 1;
  return (at - first) % 2 === 1;
}

function skipSpace(json: string, at: number): number {
  let next = at;
  while (json.charCodeAt(next) <= 0x20) next += 1;
  return next;
}

function endsWord(character: number): boolean {
  return character <= 0x20 || character === COMMA || character === OBJECT_CLOSES;
}
