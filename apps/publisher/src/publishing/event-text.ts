import { LIST_FIELDS, MAX_RECIPIENTS } from '@leque/protocol';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
/** Indentation and escapes, which are not stored, may make the text this much longer. */
const TEXT_PER_BYTE = 8;
/** Fields that only steer the publishing are not stored; they may be as large as the event again. */
const SENT_PER_STORED = 2;
/** Characters of the longest lists of recipients: ids of 256 bytes, with quotes and a comma. */
const LIST_TEXT = MAX_RECIPIENTS * 259;
const LIST_NAMES = Object.keys(LIST_FIELDS).map((name) => `"${name}"`);

/**
 * Whether the JSON text of an event is certainly too long for an event of `maxEventBytes`. The text
 * is counted, not parsed: parsing takes far longer, and builds objects many times as large.
 */
export function isTooLong(text: string, maxEventBytes: number): boolean {
  const withoutLists = SENT_PER_STORED * maxEventBytes;
  if (text.length <= withoutLists) return false;
  const mayHaveLists = LIST_NAMES.some((name) => text.includes(name));
  const most = mayHaveLists ? withoutLists + LIST_TEXT : withoutLists;
  return text.length > (TEXT_PER_BYTE / SENT_PER_STORED) * most || compactLengthExceeds(text, most);
}

/** Counts the characters that remain without white space and escapes. */
function compactLengthExceeds(text: string, most: number): boolean {
  let counted = 0;
  let inText = false;
  for (let at = 0; at < text.length && counted <= most; at += 1) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) inText = !inText;
    if (inText && character === BACKSLASH) at += escapeLength(text, at);
    if (inText || character > 0x20) counted += 1;
  }
  return counted > most;
}

/** Characters that follow the backslash; the whole escape stands for one character. */
function escapeLength(text: string, at: number): number {
  return text.charCodeAt(at + 1) === LETTER_U ? 5 : 1;
}
