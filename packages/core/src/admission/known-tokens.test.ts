import { expect, test } from 'vitest';
import { KnownTokens } from './known-tokens.ts';

test('a token is known from its verification until it is refused', () => {
  const known = new KnownTokens();
  expect([known.has(undefined), known.has('a')]).toEqual([false, false]);
  known.add('a');
  expect([known.has('a'), known.has('b'), known.has(undefined)]).toEqual([true, false, false]);
  known.delete('b');
  expect(known.has('a')).toBe(true);
  known.delete('a');
  expect(known.has('a')).toBe(false);
});

test('most tokens of a large node stay known, and no others are', () => {
  const known = new KnownTokens();
  const tokens = Array.from({ length: 20_000 }, (_, index) => `token ${index}`);
  for (const token of tokens) known.add(token);
  const kept = tokens.filter((token) => known.has(token));
  expect(kept.length / tokens.length).toBeGreaterThan(0.9);
  expect(tokens.filter((token) => known.has(`${token}x`))).toEqual([]);
});
