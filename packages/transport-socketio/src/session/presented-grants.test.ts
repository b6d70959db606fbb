import { MAX_GRANTS } from '@leque/protocol';
import { expect, test } from 'vitest';
import { presentedGrants } from './presented-grants.ts';

test.each([
  [undefined, []],
  [null, []],
  ['', []],
  [[], []],
  [
    ['a', 'b', 'a'],
    ['a', 'b'],
  ],
  ['["a","b"]', ['a', 'b']],
])('[IO5.3] auth.grants %j are the grants %j', (grants, expected) => {
  expect(presentedGrants({ grants })).toEqual(expected);
});

test.each([
  ['a.b.c', 'is neither a list nor the JSON text of one'],
  [{ P: 'a' }, 'is neither a list nor the JSON text of one'],
  ['{"P":"a"}', 'is neither a list nor the JSON text of one'],
  [7, 'is neither a list nor the JSON text of one'],
  [['a', 7], 'has an entry that is no grant'],
  [['a', ''], 'has an entry that is no grant'],
  [['x'.repeat(16_385)], 'has an entry that is no grant'],
  [Array(MAX_GRANTS + 1).fill('a'), 'has more than 512 grants'],
])('[IO5.3] auth.grants %j are refused', (grants, problem) => {
  expect(() => presentedGrants({ grants })).toThrow(`auth.grants ${problem}`);
});
