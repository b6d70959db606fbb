import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const ROOT = new URL('../..', import.meta.url);
/** Rules that define a word and cannot be violated. */
const DEFINITIONS = new Set(['POS']);

/** Matches the title of a test or group, declared with a table or without. */
const TITLE = /(?:\b(?:test|describe)|\))\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g;

test('every rule of PROTOCOL.md is named in the title of a test', () => {
  const protocol = readFileSync(new URL('packages/protocol/PROTOCOL.md', ROOT), 'utf8');
  const rules = [...protocol.matchAll(/\*\*\[([A-Z]+\d*)\]\*\*/g)].map(([, id]) => id ?? '');
  expect(rules.length).toBeGreaterThan(20);
  const files = execFileSync(
    'git',
    ['ls-files', 'test/*.ts', '*/test/*.ts', '*.test.ts', 'packages/testkit/src/contracts/*.ts'],
    { cwd: ROOT },
  );
  const tests = files.toString().trim().split('\n');
  const titles = tests.flatMap((file) => titlesIn(readFileSync(new URL(file, ROOT), 'utf8')));
  const quoted = (id: string) => titles.some((title) => title.includes(`[${id}]`));
  const unquoted = rules.filter((id) => !DEFINITIONS.has(id) && !quoted(id));
  expect(unquoted).toEqual([]);
});

test('titles are found in declarations and not in the bodies of tests', () => {
  const text = [
    "test('[A1] one', () => say('[B1]'));",
    "test.each([['[B2]']])(\n  '[A2] %s', () => {});",
    'describe("[A3] it\'s", () => {}); // [B3]',
    'test.for(rows)(`[A4]`, () => {});',
  ].join('\n');
  expect(titlesIn(text)).toEqual(['[A1] one', '[A2] %s', "[A3] it's", '[A4]']);
});

function titlesIn(text: string): string[] {
  return [...text.matchAll(TITLE)].map(([, , title]) => title ?? '');
}
