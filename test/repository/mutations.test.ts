import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

interface Mutation {
  readonly name: string;
  readonly patches: readonly { readonly file: string; readonly from: string }[];
}

const ROOT = join(import.meta.dirname, '../..');
const script = join(ROOT, 'scripts/mutations.mjs');
const { MUTATIONS } = (await import(script)) as { MUTATIONS: readonly Mutation[] };

describe('scripts/mutations.mjs', () => {
  test.for(MUTATIONS)('replaces text that is in the code exactly once: $name', ({ patches }) => {
    const found = patches.map(({ file, from }) => ({ file, from, times: timesIn(file, from) }));
    expect(found.filter(({ times }) => times !== 1)).toEqual([]);
  });
});

function timesIn(file: string, text: string): number {
  return readFileSync(join(ROOT, file), 'utf8').split(text).length - 1;
}
