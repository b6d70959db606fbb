import { parseCursor } from '@leque/protocol';
import { expect, test } from 'vitest';
import { Sequencer } from './sequencer.ts';

test.each([
  [{ epoch: 'e', offset: 6 }, 'next'],
  [{ epoch: 'e', offset: 5 }, 'old'],
  [{ epoch: 'e', offset: 1 }, 'old'],
  [{ epoch: 'e', offset: 7 }, 'gap'],
  [{ epoch: 'f', offset: 6 }, 'new_epoch'],
  [{ epoch: 'f', offset: 1 }, 'new_epoch'],
] as const)('[GAP] [DUP] after e.5, %j is %s', (position, verdict) => {
  expect(new Sequencer({ epoch: 'e', offset: 5 }).judge(position)).toBe(verdict);
});

test('judge leaves the position where it is, and moveTo changes it', () => {
  const sequencer = new Sequencer({ epoch: 'e', offset: 0 });
  expect(sequencer.judge({ epoch: 'e', offset: 1 })).toBe('next');
  expect(sequencer.judge({ epoch: 'e', offset: 1 })).toBe('next');
  sequencer.moveTo({ epoch: 'e', offset: 1 });
  expect(sequencer.judge({ epoch: 'e', offset: 1 })).toBe('old');
  expect(sequencer.position).toEqual({ epoch: 'e', offset: 1 });
});

test.each([
  ['the first publication of the channel', '0123abcd89abcdef.1', 'next'],
  ['the second one', '0123abcd89abcdef.2', 'new_epoch'],
  ['the first of another data set', '0123abce89abcdef.1', 'new_epoch'],
  ['the first after a history that was lost', 'tm7b2cabcdef0123.1', 'new_epoch'],
  ['that of another release', '0123abcd89abcdef0.1', 'new_epoch'],
] as const)('[GAP] after the position of an empty channel, %s (%s) is %s', (_, cursor, verdict) => {
  const blank = { epoch: '0123abcdng1f', offset: 0 };
  expect(new Sequencer(blank).judge(parseCursor(cursor))).toBe(verdict);
});
