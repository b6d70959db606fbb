import type { Position } from '@leque/protocol';
import { expect, test } from 'vitest';
import { formatPosition, formatTail, MAX_POSITIONS, parseOffset } from './offset.ts';

const at = (offset: number) => ({ epoch: 'e', offset });

test.each([
  ['', [], [], undefined],
  ['user:u=e.3', [['user:u', at(3)]], [], undefined],
  ['user:u=e.3~', [['user:u', at(3)]], ['user:u'], undefined],
  [';#id', [], [], 'id'],
  [
    'project:P=e.4;user:u=e.3~;#id',
    [
      ['project:P', at(4)],
      ['user:u', at(3)],
    ],
    ['user:u'],
    'id',
  ],
  [';project:P=;#id', [['project:P', undefined]], [], 'id'],
  // The event's own channel comes first, and is newer.
  ['user:u=e.5;user:u=e.3;#id', [['user:u', at(5)]], [], 'id'],
  ['project:a:b@c=e.1', [['project:a:b@c', at(1)]], [], undefined],
])('[IO8.3] %j is understood', (text, ...said) => {
  const [positions, partial, id] = said as [[string, Position][], string[], string | undefined];
  expect(parseOffset(text)).toEqual({
    positions: new Map(positions),
    partial: new Set(partial),
    id,
  });
});

test.each([
  'world',
  '=e.1',
  'room:1=e.1',
  'user:u',
  'user:u=e',
  'user:u=?',
  'user:u=e.1;project:P=e.1',
  'user:u=e.1;*;#id',
  'user:u=e.1;;x',
  'user:u=e.1;#',
  `user:u=e.${'9'.repeat(16)}`,
  `user:${'x'.repeat(257)}=e.1`,
])('[IO8] %j says nothing', (text) => {
  expect(parseOffset(text)).toBeUndefined();
});

test('[MEM] [IO8] no offset names more channels than it may', () => {
  const positions = (count: number) =>
    Array.from({ length: count }, (_, n) => formatPosition(`project:${n}`, 'e.1'));
  const offset = (count: number) => `user:u=e.1${formatTail('id', positions(count))}`;
  expect(parseOffset(offset(MAX_POSITIONS))?.positions.size).toBe(MAX_POSITIONS + 1);
  expect(parseOffset(offset(MAX_POSITIONS + 1))).toBeUndefined();
  expect(parseOffset(`user:u=e.1;${positions(MAX_POSITIONS + 9).join(';')};#id`)).toBeUndefined();
});
