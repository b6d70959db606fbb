import { describe, expect, test } from 'vitest';
import { type Row, Table } from '../src/command/table.ts';
import { formatCount, formatFigure, formatWithUnit } from '../src/results/format.ts';

const ROW: Row = {
  run: '1/5',
  target: 'leque',
  setup: 'raw',
  step: '1,000/s',
  part: '',
  figures: { deliveriesPerSecond: 1e6, p99Ms: 12.345 },
  verdict: 'held',
  reason: '',
};

describe('a figure', () => {
  test.for([
    ['p50Ms', 1.234, '1.23'],
    ['p99Ms', 12.345, '12.3'],
    ['maxMs', 1234.5, '1,235'],
    ['cpuUsPerDelivery', 0.2345, '0.234'],
    ['rssMb', 123.45, '123'],
    ['deliveriesPerSecond', 999_500, '1.00 M'],
    ['deliveriesPerSecond', 1500, '1,500'],
    ['kbPerConnection', 6.789, '6.79'],
    ['stalledClosed', 50, '50'],
  ] as const)('%s of %s is shown as %s', ([name, value, text]) => {
    expect(formatFigure(name, value)).toBe(text);
  });

  test('is a dash when it is unknown', () => {
    expect(formatFigure('p50Ms', undefined)).toBe('–');
    expect(formatWithUnit('p50Ms', undefined)).toBe('–');
  });

  test('is followed by its unit', () => {
    expect(formatWithUnit('p50Ms', 2)).toBe('2.00 ms');
    expect(formatWithUnit('deliveriesPerSecond', 4e6)).toBe('4.00 M/s');
    expect(formatWithUnit('stalledClosed', 3)).toBe('3');
  });

  test('is exact for counts below a million', () => {
    expect(formatCount(117_432.4)).toBe('117,432');
    expect(formatCount(999_400)).toBe('1.00 M');
  });
});

describe('the table', () => {
  const table = new Table(['deliveriesPerSecond', 'p99Ms', 'rssMb']);

  test('aligns each figure with its heading', () => {
    const header = table.header();
    const row = table.row(ROW);
    for (const [head, text] of [
      ['deliv./s', '1.00 M'],
      ['p99 ms', '12.3'],
      ['RSS MB', '–'],
    ] as const) {
      expect(header.indexOf(head) + head.length).toBe(row.indexOf(text) + text.length);
    }
    expect(row).toMatch(/ ok$/);
  });

  test('shows the reason of a failed run instead of figures', () => {
    const row = table.row({ ...ROW, verdict: 'failed', reason: '12 lost' });
    expect(row).not.toContain('1.00 M');
    expect(row).toContain('FAILED: 12 lost');
  });

  test('shows the figures of a rate that was not held', () => {
    const row = table.row({ ...ROW, verdict: 'behind', reason: 'delivered 50 %' });
    expect(row).toContain('1.00 M');
    expect(row).toContain('NOT HELD: delivered 50 %');
  });

  test('names the part of a workload with several parts', () => {
    expect(table.row({ ...ROW, part: '50 subscribers' })).toContain('50 subscribers');
  });
});
