import { describe, expect, test } from 'vitest';
import { LogLinear, upperBound } from './log-linear.ts';
import { Sequence } from './sequence.ts';
import { StampFinder } from './stamps.ts';
import { TextCounter } from './text-counter.ts';

describe('a sequence', () => {
  test('tells latecomers from duplicates', () => {
    const sequence = new Sequence(10);
    const numbers = [11, 14, 12, 12, 11, 15, 13];
    expect(numbers.map((number) => sequence.take(number))).toEqual([
      'first',
      'first',
      'late',
      'duplicate',
      'duplicate',
      'first',
      'late',
    ]);
  });
});

describe('a stamp finder', () => {
  const text = '[{"t":"0000000000000012","c":"00003","n":"0000000004","x":1},{"t":"';
  const next = '0000000000000013","c":"00003","n":"0000000005"}]';

  test('finds stamps in one payload and across two', () => {
    const finder = new StampFinder();
    expect(finder.find(Buffer.from(text))).toEqual([{ intendedUs: 12, channel: 3, number: 4 }]);
    expect(finder.find(Buffer.from(next))).toEqual([{ intendedUs: 13, channel: 3, number: 5 }]);
    expect(finder.find(Buffer.from(next))).toEqual([]);
  });

  test('finds them byte by byte', () => {
    const finder = new StampFinder();
    const bytes = [...Buffer.from(text + next)].map((byte) => Buffer.from([byte]));
    expect(bytes.flatMap((byte) => finder.find(byte))).toHaveLength(2);
  });
});

describe('a text counter', () => {
  test.each([1, 2, 3, 100])('counts in reads of %d bytes', (size) => {
    const counter = new TextCounter('+OK');
    const stream = Buffer.from('+OK\r\n+O+OK+O\r\nK+OK');
    let count = 0;
    for (let at = 0; at < stream.length; at += size) {
      count += counter.count(stream.subarray(at, at + size));
    }
    expect(count).toBe(3);
  });

  test('does not find nothing', () => {
    expect(new TextCounter('').count(Buffer.from('text'))).toBe(0);
  });
});

describe('a log-linear histogram', () => {
  test('is exact below 128, and at most 1.6 % too high above', () => {
    for (let value = 0; value < 5_000_000; value += 1 + (value >> 6)) {
      const bound = upperBound(value);
      expect(bound).toBeGreaterThanOrEqual(value);
      expect(bound - value).toBeLessThanOrEqual(value < 128 ? 0 : value * 0.016);
      expect(upperBound(bound)).toBe(bound);
      expect(upperBound(bound + 1)).toBeGreaterThan(bound);
    }
  });

  test('lists bounds and counts in order', () => {
    const histogram = new LogLinear();
    for (const value of [200, 1, 1, 201]) histogram.add(value);
    expect(histogram.entries()).toEqual([
      [1, 2],
      [201, 2],
    ]);
  });
});
