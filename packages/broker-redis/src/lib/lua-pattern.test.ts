import { expect, test } from 'vitest';
import { toLuaPattern } from './lua-pattern.ts';

test.each([
  ['^[A-Za-z0-9._:@+-]{1,128}$', { pattern: '^[A-Za-z0-9._:@+-]+$', max_length: 128 }],
  ['^00-[0-9a-f]{3}-x{2}$', { pattern: '^00%-[0-9a-f][0-9a-f][0-9a-f]%-xx$' }],
])('%s is %j in Lua', (pattern, expected) => {
  expect(toLuaPattern(pattern)).toEqual(expected);
});

test.each(['^[a-z]{2,3}$', '^a|b$', '^(a)$', 'a', '^\\d$', '^[^a]{1,2}$', '^a.$'])(
  '%s is refused, because Lua could not check it',
  (pattern) => {
    expect(() => toLuaPattern(pattern)).toThrow('Lua');
  },
);
