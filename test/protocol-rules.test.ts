import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const ROOT = new URL('..', import.meta.url);
/** Rules that say what something is, and nothing that a test could catch being broken. */
const DEFINITIONS = new Set(['POS']);

test('every rule of PROTOCOL.md is quoted by the title of a test', () => {
  const protocol = readFileSync(new URL('packages/protocol/PROTOCOL.md', ROOT), 'utf8');
  const rules = [...protocol.matchAll(/\*\*\[([A-Z]+\d*)\]\*\*/g)].map(([, id]) => id ?? '');
  expect(rules.length).toBeGreaterThan(20);
  const files = execFileSync('git', ['ls-files', '*/test/*.ts', '*.test.ts'], { cwd: ROOT });
  const tests = files.toString().trim().split('\n');
  const text = tests.map((file) => readFileSync(new URL(file, ROOT), 'utf8')).join('\n');
  const unquoted = rules.filter((id) => !DEFINITIONS.has(id) && !text.includes(`[${id}]`));
  expect(unquoted).toEqual([]);
});
