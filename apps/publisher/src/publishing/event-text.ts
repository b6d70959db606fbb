const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
/** Indentation and escapes, which are not stored, may make the text this much longer. */
const TEXT_PER_BYTE = 8;
/** Fields that only steer the publishing are not stored; they may be as large as the event again. */
const SENT_PER_STORED = 2;

/**
 * Whether the JSON text of an event is certainly too long for an event of `maxEventBytes`. The text
 * is counted, not parsed: parsing takes far longer, and builds objects many times as large.
 */
export function isTooLong(text: string, maxEventBytes: number): boolean {
  const most = SENT_PER_STORED * maxEventBytes;
  if (text.length <= most) return false;
  return text.length > TEXT_PER_BYTE * maxEventBytes || compactLengthExceeds(text, most);
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
