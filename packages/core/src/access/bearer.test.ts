import { expect, test } from 'vitest';
import { bearerToken } from './bearer.ts';

test.each([
  ['Bearer abc.def.ghi', 'abc.def.ghi'],
  ['bearer abc', 'abc'],
  ['BEARER  abc ', 'abc'],
  ['Basic YTpi', undefined],
  ['Bearer', undefined],
  ['Bearer ', undefined],
  ['Bearer two words', undefined],
  ['Bearerabc', undefined],
  ['abc', undefined],
  ['', undefined],
  [undefined, undefined],
])('the token in "%s" is %s', (header, token) => {
  expect(bearerToken(header)).toBe(token);
});
