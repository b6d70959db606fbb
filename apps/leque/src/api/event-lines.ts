import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { usageError } from './exit.ts';
import { tryParseObject } from './parse-option.ts';

const SHOWN_CHARACTERS = 60;
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'cannot be read by this user',
  EISDIR: 'is a folder',
};

export interface EventLine {
  /** Counted from 1, blank lines included. */
  readonly line: number;
  readonly event: Readonly<Record<string, unknown>>;
}

/**
 * Reads a file that has one event as a JSON object on each line; blank lines are skipped.
 * @param file `-` for the standard input
 * @throws CommandError when the file cannot be read, or names the first line that is not an object
 */
export async function* readEventLines(file: string): AsyncGenerator<EventLine> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  // The iterator of the lines would wait forever for a file that cannot be read.
  const failed = new Promise<never>((_, reject) => {
    input.once('error', (error: NodeJS.ErrnoException) => {
      reject(usageError([`--file: ${describe(error, file)}`]));
    });
  });
  failed.catch(() => {});
  const lines = createInterface({ input })[Symbol.asyncIterator]();
  for (let line = 1; ; line += 1) {
    const { value: text, done } = await Promise.race([lines.next(), failed]);
    if (done === true) return;
    if (String(text).trim() !== '') yield { line, event: parseLine(String(text), line) };
  }
}

function describe({ code = '', message }: NodeJS.ErrnoException, file: string): string {
  const reason = REASONS[code];
  return reason === undefined ? message : `${file} ${reason}`;
}

function parseLine(text: string, line: number): EventLine['event'] {
  const event = tryParseObject(text);
  if (event !== undefined) return event;
  const shown = text.slice(0, SHOWN_CHARACTERS);
  throw usageError([`line ${line} is not a JSON object: ${shown}`]);
}
