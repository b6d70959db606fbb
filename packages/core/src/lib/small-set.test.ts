import { expect, test } from 'vitest';
import { SmallSet } from './small-set.ts';

test('a SmallSet behaves like a Set, whatever its size', () => {
  const small = new SmallSet<number>();
  const set = new Set<number>();
  for (let step = 0; step < 500; step += 1) {
    const member = (step * 7) % 13;
    if (step % 3 === 2) {
      expect(small.delete(member)).toBe(set.delete(member));
    } else {
      small.add(member);
      set.add(member);
    }
    expect(small.size).toBe(set.size);
    expect(small.has(member)).toBe(set.has(member));
    expect([...small]).toEqual([...set]);
  }
});

test.each([3, 20])('a SmallSet of %d members may be changed during an iteration', (size) => {
  const small = new SmallSet<number>();
  for (let member = 0; member < size; member += 1) small.add(member);
  const seen: number[] = [];
  for (const member of small) {
    seen.push(member);
    small.delete(member);
  }
  expect(seen).toHaveLength(size);
  expect(small.size).toBe(0);
});
