import { describe, expect, test } from 'vitest';
import { type Seen, violations } from './numbered-load.ts';

const audit = (...seen: (number | 'resync')[]) =>
  violations(
    seen.map((each): Seen => (each === 'resync' ? each : { n: each })),
    { stored: 4, repeated: new Set([2]) },
  );

describe('the audit of numbered publications', () => {
  test.for([
    ['everything in order', [1, 2, 3, 4]],
    ['a loss after a resync', [1, 'resync', 3, 4]],
    ['a number that was published twice and follows a resync', [1, 2, 'resync', 2, 3, 4]],
  ] as const)('accepts %s', ([, seen]) => {
    expect(audit(...seen)).toEqual([]);
  });

  test.for([
    ['a loss', [1, 2, 4], '4 after 2 without a resync'],
    ['a repetition', [1, 2, 2, 3, 4], '2 after 2 without a resync'],
    ['a wrong order', [1, 3, 2, 4], '3 after 1 without a resync'],
    [
      'a repetition of a number that was published once',
      [1, 2, 3, 'resync', 3, 4],
      '3 again after 3',
    ],
    [
      'a loss after the first event that follows a resync',
      [1, 'resync', 2, 4],
      '4 after 2 without a resync',
    ],
    ['a loss at the end', [1, 2, 3], '3 is the last, but 4 is stored'],
  ] as const)('finds %s', ([, seen, problem]) => {
    expect(audit(...seen)).toContain(problem);
  });
});
