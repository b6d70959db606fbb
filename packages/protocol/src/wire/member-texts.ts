const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const LIST_OPENS = 0x5b;
const OBJECT_OPENS = 0x7b;
const OBJECT_CLOSES = 0x7d;
/** The bit that differs between [ and {, and between ] and }. */
const CASE_BIT = 0x20;

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
  const members = new MemberCursor(json);
  while (members.next()) {
    const { name } = members;
    if (texts.has(name)) doubled.push(name);
    texts.set(name, members.value);
  }
  return { texts, doubled };
}

export interface SelectedMembers {
  /** The JSON text of each wanted member's value; undefined when no name is written so without escapes. */
  readonly texts: readonly (string | undefined)[];
  /** Number of all members. */
  readonly count: number;
}

/**
 * Finds a few members of a JSON object without copying the others.
 * @param json a valid JSON object; of other texts the answer is undefined but harmless
 * @param names names without characters that JSON escapes
 */
export function selectMembers(json: string, names: readonly string[]): SelectedMembers {
  const texts: (string | undefined)[] = names.map(() => undefined);
  const members = new MemberCursor(json);
  let count = 0;
  while (members.next()) {
    count += 1;
    for (let index = 0; index < names.length; index += 1) {
      if (members.isSpelled(names[index] as string)) texts[index] = members.value;
    }
  }
  return { texts, count };
}

/** Walks from member to member of an object. */
class MemberCursor {
  readonly #json: string;
  #nameStart = 0;
  #nameEnd = 0;
  #valueStart = 0;
  #valueEnd: number;

  constructor(json: string) {
    this.#json = json;
    this.#valueEnd = json.indexOf('{') + 1;
  }

  /** @returns false after the last member */
  next(): boolean {
    const json = this.#json;
    let at = skipSpace(json, this.#valueEnd);
    if (json.charCodeAt(at) === COMMA) at = skipSpace(json, at + 1);
    if (json.charCodeAt(at) !== QUOTE) return false;
    this.#nameStart = at;
    this.#nameEnd = endOfString(json, at);
    const colon = skipSpace(json, this.#nameEnd);
    if (json.charCodeAt(colon) !== COLON) return false;
    this.#valueStart = skipSpace(json, colon + 1);
    this.#valueEnd = endOfValue(json, this.#valueStart);
    return true;
  }

  get name(): string {
    const name = this.#json.slice(this.#nameStart + 1, this.#nameEnd - 1);
    if (!name.includes('\\')) return name;
    return JSON.parse(this.#json.slice(this.#nameStart, this.#nameEnd)) as string;
  }

  /** Whether the text of the name is `name` itself, without escapes. */
  isSpelled(name: string): boolean {
    const length = this.#nameEnd - this.#nameStart - 2;
    return length === name.length && this.#json.startsWith(name, this.#nameStart + 1);
  }

  get value(): string {
    return this.#json.slice(this.#valueStart, this.#valueEnd);
  }
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
    if (character === QUOTE) {
      at = endOfString(json, at);
      continue;
    }
    at += 1;
    const bracket = character | CASE_BIT;
    if (bracket === OBJECT_OPENS) depth += 1;
    else if (bracket === OBJECT_CLOSES) depth -= 1;
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
