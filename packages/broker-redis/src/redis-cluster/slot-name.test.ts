import calculateSlot from 'cluster-key-slot';
import { expect, test } from 'vitest';
import { SlotName } from './slot-name.ts';

const template = (n: number) => `x{node:a:${n}}`;

test('a name is in a slot of its owner, and stays for as long as the owner has the slot', () => {
  let owned = (slot: number) => slot < 5000;
  const name = new SlotName(template, { slots: 5000, owns: (slot) => owned(slot) });
  const first = name.current;
  expect(calculateSlot(first)).toBeLessThan(5000);
  expect(name.current).toBe(first);
  owned = (slot) => slot >= 5000;
  expect(calculateSlot(name.current)).toBeGreaterThanOrEqual(5000);
});

test('a name is found even for a single slot', () => {
  const name = new SlotName(template, { slots: 1, owns: (slot) => slot === 12_345 });
  expect(calculateSlot(name.current)).toBe(12_345);
});

test('an owner without slots gets a name without a search', () => {
  let asked = 0;
  const owns = () => {
    asked += 1;
    return false;
  };
  expect(new SlotName(template, { slots: 0, owns }).current).toBe(template(0));
  expect(asked).toBe(0);
});
