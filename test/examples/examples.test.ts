import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const MOST_LINES = 120;
const files = execFileSync('git', ['ls-files', 'examples/*.js', 'examples/*.html'], { cwd: ROOT })
  .toString()
  .trim()
  .split('\n');

test('each file of the examples is read in minutes: it has fewer than 120 lines', () => {
  const linesOf = (file: string) => readFileSync(join(ROOT, file), 'utf8').split('\n').length - 1;
  expect(files.length).toBeGreaterThan(10);
  expect(files.filter((file) => linesOf(file) >= MOST_LINES)).toEqual([]);
});

test('the examples need nothing that has to be installed', () => {
  const imports = files.flatMap((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    return [...text.matchAll(/\bfrom '([^']+)'/g)].map(([, name = '']) => name);
  });
  expect(imports.filter((name) => !/^(node:|\.|\/)/.test(name))).toEqual([]);
});
