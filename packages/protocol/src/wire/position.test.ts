import { expect, test } from 'vitest';
import { isNewerCursor, toCursor, tryParseCursor } from './position.ts';

test('[POS.3] parsing a cursor gives the position from which it was made', () => {
  const position = { epoch: '0a1b2c', offset: 123_456_789_012_345 };
  expect(tryParseCursor(toCursor(position))).toEqual(position);
});

test.each([
  ['e.0', { epoch: 'e', offset: 0 }],
  ['e.', undefined],
  ['.1', undefined],
  ['e1', undefined],
  ['E.1', undefined],
  ['e.-1', undefined],
  ['e.1.2', undefined],
  ['e.1 ', undefined],
  ['e.1e3', undefined],
  [`e.${'9'.repeat(16)}`, undefined],
  [`${'e'.repeat(33)}.1`, undefined],
  ['', undefined],
])('[POS.3] the cursor %j is parsed as %j', (cursor, position) => {
  expect(tryParseCursor(cursor)).toEqual(position);
});

test.each([
  ['e.10', 'e.9', true],
  ['e.9', 'e.10', false],
  ['e.9', 'e.9', false],
  ['f.10', 'e.9', false],
  ['?', 'e.9', false],
  ['e.9', '', false],
  ['', '', false],
])(
  '[POS.7] cursors of one epoch compare by their number: %j is newer than %j: %j',
  (one, other, newer) => {
    expect(isNewerCursor(one, other)).toBe(newer);
  },
);
