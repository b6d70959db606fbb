import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countOf, type Histogram, mergeHistograms, percentile } from '../src/results/histogram.ts';

describe('a merged histogram', () => {
  test('has the counts of all, by ascending bound', () => {
    const first: Histogram = [
      [10, 1],
      [30, 2],
    ];
    const second: Histogram = [
      [20, 4],
      [30, 5],
    ];
    expect(mergeHistograms([first, second])).toEqual([
      [10, 1],
      [20, 4],
      [30, 7],
    ]);
  });

  test('of nothing is empty', () => {
    expect(mergeHistograms([])).toEqual([]);
    expect(countOf([])).toBe(0);
  });
});

describe('a percentile', () => {
  test.for([
    [0, 1],
    [0.5, 5],
    [0.51, 6],
    [0.9, 9],
    [0.99, 10],
    [1, 10],
  ] as const)('of ten latencies: %s is %s', ([share, expected]) => {
    const ten: Histogram = Array.from({ length: 10 }, (_, index) => [index + 1, 1]);
    expect(percentile(ten, share)).toBe(expected);
  });

  test('is not known of no latencies', () => {
    expect(percentile([], 0.5)).toBeUndefined();
  });

  test('of a merged histogram is that of all values sorted together', () => {
    const values = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 });
    fc.assert(
      fc.property(values, values, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, share) => {
        const merged = mergeHistograms([histogramOf(a), histogramOf(b)]);
        const sorted = [...a, ...b].sort((x, y) => x - y);
        const rank = Math.max(1, Math.ceil(sorted.length * share));
        expect(percentile(merged, share)).toBe(sorted[rank - 1]);
      }),
    );
  });
});

function histogramOf(values: readonly number[]): Histogram {
  return mergeHistograms(values.map((value) => [[value, 1]]));
}
