import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { frame } from './support/relay.ts';

const SOURCES = join(import.meta.dirname, '../src/native');
const CHECK = join(import.meta.dirname, 'native/check.c');
const FLAGS = ['-std=c11', '-O2', '-Wall', '-Wextra', '-Werror'];
const PARTS = ['stream/frames.c', 'stream/stamps.c', 'lib/files.c', 'lib/common.c'];

const folder = mkdtempSync(join(tmpdir(), 'leque-bench-check-'));
const program = join(folder, 'check');
beforeAll(() => {
  const sources = PARTS.map((part) => join(SOURCES, part));
  execFileSync('cc', [...FLAGS, '-o', program, CHECK, ...sources]);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The lines that a part of the load generator prints for these bytes. */
function linesOf(
  [part, ...args]: readonly [string, ...(string | number)[]],
  input: Buffer | string,
): string[] {
  const file = join(folder, 'input');
  writeFileSync(file, input);
  const output = execFileSync(program, [part, file, ...args.map(String)]);
  return output.toString().split('\n').slice(0, -1);
}

describe('the frame walker', () => {
  const lengths = [0, 1, 125, 126, 65_535, 65_536, 1];
  const stream = Buffer.concat(lengths.map((length) => frame('x'.repeat(length))));

  test.each([1, 2, 3, 7, 1000, stream.length])('takes frames off reads of %d bytes', (size) => {
    expect(linesOf(['frames', size], stream)).toEqual(lengths.map((length) => `1:${length}`));
  });
});

describe('the stamp finder', () => {
  const text = '[{"t":"0000000000000012","c":"00003","n":"0000000004","x":1},{"t":"';
  const next = '0000000000000013","c":"00003","n":"0000000005"}]';

  test.each([1, 2, text.length, 1000])('finds stamps in reads of %d bytes', (size) => {
    expect(linesOf(['stamps', size], text + next)).toEqual(['12 3 4', '13 3 5']);
  });
});

describe('the text counter', () => {
  test.each([1, 2, 3, 100])('counts a text in reads of %d bytes', (size) => {
    expect(linesOf(['text', size, '+OK'], '+OK\r\n+O+OK+O\r\nK+OK')).toEqual(['3']);
  });

  test('never finds an empty text', () => {
    expect(linesOf(['text', 3, ''], 'text')).toEqual(['0']);
  });
});

describe('the histogram', () => {
  test('is exact below 128 µs, and at most 1.6 % too high above', () => {
    const lines = linesOf(['histogram', 5_000_000], '');
    expect(lines.length).toBeGreaterThan(500);
    for (const line of lines) {
      const [value = 0, bound = 0] = line.split(' ').map(Number);
      expect(bound).toBeGreaterThanOrEqual(value);
      expect(bound - value).toBeLessThanOrEqual(value < 128 ? 0 : value * 0.016);
    }
  });
});
