import { expect, test } from 'vitest';
import { SmallMap } from './small-map.ts';

test('a SmallMap behaves like a Map, whatever its size', () => {
  const small = new SmallMap<string, number>();
  const map = new Map<string, number>();
  for (let step = 0; step < 500; step += 1) {
    const key = `k${(step * 7) % 13}`;
    if (step % 3 === 2) {
      expect(small.delete(key)).toBe(map.delete(key));
    } else {
      small.set(key, step);
      map.set(key, step);
    }
    expect(small.size).toBe(map.size);
    expect(small.get(key)).toBe(map.get(key));
    expect(small.has(key)).toBe(map.has(key));
    expect([...small.keys()]).toEqual([...map.keys()]);
    expect([...small.values()]).toEqual([...map.values()]);
  }
});

test('a SmallMap may be changed during an iteration', () => {
  const small = new SmallMap<string, number>();
  for (const key of ['a', 'b', 'c']) small.set(key, 1);
  const seen: string[] = [];
  for (const key of small.keys()) {
    seen.push(key);
    small.delete(key);
  }
  expect(seen).toEqual(['a', 'b', 'c']);
  expect(small.size).toBe(0);
});
