/** Marks that move the cursor of a terminal, colour it, or turn text around; line breaks and tabs are none. */
const MARKS = /[^\P{Cc}\n\t]|[\p{Bidi_Control}\u2028\u2029]/gu;

/**
 * Prints text to stdout. Every mark of the terminal in it becomes `\uXXXX`, because much of it comes
 * from a server or from events. JSON stays the same JSON: such marks stand in its strings only.
 */
export function print(text: string): void {
  console.log(withoutMarks(text));
}

/** Prints text to stderr as `print` does to stdout. */
export function printError(text: string): void {
  console.error(withoutMarks(text));
}

/** Escapes line breaks as well, so that foreign text cannot pretend to be another line. */
export function oneLine(text: string): string {
  return withoutMarks(text).replaceAll('\n', '\\u000a');
}

function withoutMarks(text: string): string {
  return text.replace(MARKS, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
