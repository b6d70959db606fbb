import { MAX_CURSORS } from '@leque/protocol';
import { expect, test } from 'vitest';
import { cursorsOf } from './cursors.ts';

const CURSORS = { 'user:alice': 'e.1', 'project:P': 'e.2' };

test.each([CURSORS, JSON.stringify(CURSORS), ` ${JSON.stringify(CURSORS)}\n`])(
  '[IO5.1] %j is read',
  (cursors) => {
    expect(cursorsOf({ cursors })).toEqual(CURSORS);
  },
);

test.each([{}, { cursors: null }, { cursors: '' }, { cursors: {} }, { cursors: '{}' }])(
  '[IO5] %j presents no cursors',
  (auth) => {
    expect(cursorsOf(auth)).toEqual({});
  },
);

test.each([
  ['e.1', 'is neither an object nor the JSON text of one'],
  ['{"user:alice":"e.1"', 'is neither an object nor the JSON text of one'],
  ['"{}"', 'is neither an object nor the JSON text of one'],
  ['null', 'is neither an object nor the JSON text of one'],
  [['e.1'], 'is neither an object nor the JSON text of one'],
  ['["e.1"]', 'is neither an object nor the JSON text of one'],
  [7, 'is neither an object nor the JSON text of one'],
  [true, 'is neither an object nor the JSON text of one'],
  [{ 'user:alice': 42 }, 'has no text for "user:alice"'],
  [{ 'user:alice': null }, 'has no text for "user:alice"'],
  [{ 'user:alice': { cursor: 'e.1' } }, 'has no text for "user:alice"'],
  ['{"user:alice":42}', 'has no text for "user:alice"'],
])('[IO5.2] [GAP] %j is refused by name', (cursors, problem) => {
  expect(() => cursorsOf({ cursors })).toThrow(`auth.cursors ${problem}`);
});

test('[IO5] [WS8] as many cursors are taken as a session may have channels', () => {
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`project:${n}`, 'e.1']));
  expect(Object.keys(cursorsOf({ cursors: many(512) }))).toHaveLength(512);
  expect(() => cursorsOf({ cursors: many(MAX_CURSORS + 1) })).toThrow('more than 512 cursors');
});
