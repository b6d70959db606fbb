import { describe, expect, test } from 'vitest';
import { known, latencyFigures, medians, spreads } from '../src/results/figures.ts';
import { median, spread } from '../src/results/statistics.ts';

describe('a median', () => {
  test.for([
    [[3], 3],
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[10, 9, 100], 10],
  ] as const)('of %j is %s', ([values, expected]) => {
    expect(median(values)).toBe(expected);
  });

  test('of no values is unknown, and so is their spread', () => {
    expect(median([])).toBeUndefined();
    expect(spread([])).toBeUndefined();
  });

  test('does not reorder its argument', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('figures of several runs', () => {
  const runs = [{ p99Ms: 4, rssMb: 90 }, { p99Ms: 2 }, { p99Ms: 9 }];

  test('have a median and a spread over the runs that have them', () => {
    expect(medians(runs)).toEqual({ p99Ms: 4, rssMb: 90 });
    expect(spreads(runs)).toEqual({ p99Ms: [2, 9], rssMb: [90, 90] });
  });

  test('leave out unknown and infinite values', () => {
    expect(
      known([
        ['p50Ms', undefined],
        ['p99Ms', 1 / 0],
        ['rssMb', 0],
      ]),
    ).toEqual({ rssMb: 0 });
  });
});

test('latencies are converted to milliseconds', () => {
  const histogram = [
    [1000, 50],
    [2000, 49],
    [8000, 1],
  ] as const;
  expect(latencyFigures(histogram)).toEqual({ p50Ms: 1, p99Ms: 2, p999Ms: 8, maxMs: 8 });
  expect(latencyFigures([])).toEqual({});
});
