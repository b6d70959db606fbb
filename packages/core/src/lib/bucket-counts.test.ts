import { expect, test } from 'vitest';
import { BucketCounts } from './bucket-counts.ts';

test('a value is counted in the first bucket whose bound it does not exceed', () => {
  const counts = new BucketCounts([1, 5]);
  for (const value of [0, 1, 1.5, 5, 6, 100]) counts.observe(value);
  expect([...Array.from(counts.counts)]).toEqual([2, 2, 2]);
  expect(counts.sum).toBe(113.5);
});
