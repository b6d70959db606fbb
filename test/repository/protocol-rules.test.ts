import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const ROOT = new URL('../..', import.meta.url);
/** Rules that define a word, or bind clients only: no test of the server can find them violated. */
const DEFINITIONS = new Set(['POS', 'POS.1', 'POS.2', 'POS.3', 'POS.4', 'WS1.2']);
/** Sub-rules that only tests of their whole rule cover so far. None may be added. */
const HELD_BY_THEIR_WHOLE = new Set([
  ...['EV1.2', 'WS3.4', 'RE2.1', 'RE3.1', 'RE4.3', 'RE4.4'],
  ...['CL2.1', 'CL3.1', 'CL3.2', 'IN2.1', 'AD.6'],
  ...['IO8.1', 'IO8.5', 'IO8.11', 'IO8.12', 'NP3.2', 'NP4.2', 'NP4.3'],
]);
/** Its id and the bullet are counted too. */
const MAX_WORDS = 45;

/** Matches the title of a test or group, declared with a table or without. */
const TITLE = /(?:\b(?:test|describe)|\))\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g;

const protocol = readFileSync(new URL('packages/protocol/PROTOCOL.md', ROOT), 'utf8');
const rules = [...protocol.matchAll(/\*\*\[([A-Z]+\d*(?:\.\d+)?)\]\*\*/g)].map(([, id = '']) => id);
/** RE1 for RE1.4, and RE1 for RE1. */
const wholeOf = (id: string) => id.replace(/\..*/, '');

test('every rule of PROTOCOL.md is named in the title of a test, each sub-rule by its own id', () => {
  expect(rules.length).toBeGreaterThan(100);
  const named = new Set(titles().flatMap(idsIn));
  const parts = rules.filter((id) => wholeOf(id) !== id);
  const isNamed = (id: string) =>
    named.has(id) || (wholeOf(id) === id && parts.some((part) => wholeOf(part) === id));
  const unnamed = rules.filter((id) => !DEFINITIONS.has(id) && !isNamed(id));
  expect(new Set(unnamed)).toEqual(HELD_BY_THEIR_WHOLE);
});

test('titles name no rule of PROTOCOL.md that is not there', () => {
  const families = new Set(rules.map((id) => id.replace(/\d.*/, '')));
  const isRule = (id: string) => families.has(id.replace(/\d.*/, '')) && /\d/.test(id);
  expect(
    titles()
      .flatMap(idsIn)
      .filter((id) => isRule(id) && !rules.includes(id)),
  ).toEqual([]);
});

test('each rule has an id of its own, and sub-rules follow their rule', () => {
  expect(rules).toEqual([...new Set(rules)]);
  const orphans = rules.filter(
    (id, at) => wholeOf(id) !== id && wholeOf(rules[at - 1] ?? '') !== wholeOf(id),
  );
  expect(orphans).toEqual([]);
});

test('a rule has few words, so that it states one fact', () => {
  const items = protocol.split('\n').filter((line) => /\*\*\[/.test(line));
  expect(items.filter((line) => line.split(/\s+/).length > MAX_WORDS)).toEqual([]);
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

function titles(): string[] {
  const files = execFileSync(
    'git',
    [
      'ls-files',
      '--cached',
      '--others',
      '--exclude-standard',
      'test/*.ts',
      '*/test/*.ts',
      '*.test.ts',
      'packages/testkit/src/contracts/*.ts',
    ],
    { cwd: ROOT },
  );
  const tests = files.toString().trim().split('\n');
  return tests.flatMap((file) => titlesIn(readFileSync(new URL(file, ROOT), 'utf8')));
}

/** `[RE1]` and `[RE1.4]`; titles may name invariants in the same way. */
function idsIn(title: string): string[] {
  return [...title.matchAll(/\[([A-Z]+\d*(?:\.\d+)?)\]/g)].map(([, id = '']) => id);
}

function titlesIn(text: string): string[] {
  return [...text.matchAll(TITLE)].map(([, , title]) => title ?? '');
}
