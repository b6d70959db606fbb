import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { oneLine, print, printError } from './print.ts';

const SOURCES = new URL('../', import.meta.url).pathname;
/** Colours, a title, C1 controls, DEL, and marks that turn text around. */
const HOSTILE = '\u001b[31m\u001b]0;title\u0007\u009b2J\u007f\u202e\u2066\u2028\r';

test.each([
  ['stdout', 'log', print],
  ['stderr', 'error', printError],
] as const)('no mark of the terminal reaches %s', (_, method, printTo) => {
  const printed = vi.spyOn(console, method).mockImplementation(() => {});
  printTo(`a ${HOSTILE}\nb ñ 🎉`);
  expect(printed).toHaveBeenCalledExactlyOnceWith(
    'a \\u001b[31m\\u001b]0;title\\u0007\\u009b2J\\u007f\\u202e\\u2066\\u2028\\u000d\nb ñ 🎉',
  );
  printed.mockRestore();
});

test('JSON means the same after it was printed, and has no mark of the terminal', () => {
  const printed = vi.spyOn(console, 'log').mockImplementation(() => {});
  const value = { [HOSTILE]: [HOSTILE, { text: `line\n${HOSTILE}` }] };
  print(JSON.stringify(value, null, 2));
  const text = String(printed.mock.calls[0]?.[0]);
  printed.mockRestore();
  expect(JSON.parse(text)).toEqual(value);
  expect(text).not.toMatch(/[^\P{Cc}\n\t]|\p{Bidi_Control}/u);
});

test('foreign text cannot begin another line', () => {
  expect(oneLine('stored\nstored')).toBe('stored\\u000astored');
});

test('commands print in no other way', () => {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter(
    (file) => /^(commands|api|check)\/.*(?<!\.test)\.ts$/.test(file) && file !== 'api/print.ts',
  );
  expect(files.length).toBeGreaterThan(20);
  const direct = files.filter((file) =>
    /console\.|std(out|err)\.write/.test(readFileSync(join(SOURCES, file), 'utf8')),
  );
  expect(direct).toEqual(['commands/stats.ts']); // it clears the screen
});
