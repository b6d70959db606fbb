/** Control characters, and marks that turn or break lines of text where they are shown. */
const MARKS = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/gu;

/**
 * Makes foreign text safe for a log and a terminal: each mark becomes its escape `\uXXXX`, and a text
 * that is too long ends with `…`.
 * @param maxLength UTF-16 units of the text that are kept
 */
export function inert(text: string, maxLength: number): string {
  const isCut = text.length > maxLength;
  const shown = (isCut ? text.slice(0, maxLength) : text).replace(MARKS, escaped);
  return isCut ? `${shown}…` : shown;
}

function escaped(mark: string): string {
  return `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
