import { endOfString } from '@leque/protocol';

const QUOTE = 0x22;
const COMMA = 0x2c;
const LIST_OPENS = 0x5b;
const LIST_CLOSES = 0x5d;
const OBJECT_OPENS = 0x7b;
const OBJECT_CLOSES = 0x7d;
/** Looked up for each character, because that is faster than comparing it with each mark. */
const IS_MARK = new Uint8Array(128);
for (const mark of [COMMA, LIST_OPENS, LIST_CLOSES, OBJECT_OPENS, OBJECT_CLOSES]) IS_MARK[mark] = 1;
const LIST = /^[\t\n\r ]*\[/;
const BLANK = /^[\t\n\r ]*$/;

/**
 * Finds where the items of a JSON list begin and end, without parsing them. A text is a JSON list
 * exactly when the scan ends with `isComplete` and every item is JSON.
 */
export class ListScanner {
  readonly #text: string;
  readonly #maxItems: number;
  readonly #items: string[] = [];
  #count = 0;
  #at: number;
  #itemStart: number;
  /** Number of lists and objects that are open at `#at`; 0 after the end of the list. */
  #depth = 1;

  static isList(text: string): boolean {
    return LIST.test(text);
  }

  /** @param maxItems number of items whose text is kept; the others are only counted */
  constructor(text: string, maxItems: number) {
    this.#text = text;
    this.#maxItems = maxItems;
    this.#at = text.indexOf('[') + 1;
    this.#itemStart = this.#at;
  }

  /** The texts of the items in order, with the white space around them. */
  get items(): readonly string[] {
    return this.#items;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether the list ends where the text ends. */
  get isComplete(): boolean {
    const closed = this.#depth === 0 && this.#text.charCodeAt(this.#at - 1) === LIST_CLOSES;
    return closed && BLANK.test(this.#text.slice(this.#at));
  }

  /**
   * Reads about this number of characters, so that the caller can pause between two calls.
   * @returns whether there is more to read
   */
  advance(characters: number): boolean {
    const text = this.#text;
    const until = Math.min(this.#at + characters, text.length);
    let at = this.#at;
    while (at < until) {
      const character = text.charCodeAt(at);
      if (character === QUOTE) at = endOfString(text, at);
      else if (IS_MARK[character] !== 1) at += 1;
      else if (this.#pass(character, at++)) break;
    }
    this.#at = at;
    return this.#depth > 0 && at < text.length;
  }

  /** @returns whether the list ends here */
  #pass(mark: number, at: number): boolean {
    if (mark === LIST_OPENS || mark === OBJECT_OPENS) this.#depth += 1;
    else if (mark !== COMMA) this.#close(at);
    else if (this.#depth === 1) this.#add(at);
    return this.#depth === 0;
  }

  #close(at: number): void {
    this.#depth -= 1;
    if (this.#depth > 0) return;
    const isEmpty = this.#count === 0 && BLANK.test(this.#text.slice(this.#itemStart, at));
    if (!isEmpty) this.#add(at);
  }

  #add(end: number): void {
    this.#count += 1;
    if (this.#count <= this.#maxItems) this.#items.push(this.#text.slice(this.#itemStart, end));
    this.#itemStart = end + 1;
  }
}
