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

test('the script of each page loads files that are there, and finds its elements', () => {
  for (const page of files.filter((file) => file.endsWith('.html'))) {
    const text = readFileSync(join(ROOT, page), 'utf8');
    const named = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, name = '']) => name);
    const loaded = named(/from '\/([^']+)'/g).map((file) => `examples/${file}`);
    expect(loaded.filter((file) => !files.includes(file))).toEqual([]);
    const ids = named(/ id="([^"]+)"/g);
    expect(named(/find\('([^']+)'\)/g).filter((id) => !ids.includes(id))).toEqual([]);
  }
});
