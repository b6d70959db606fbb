import { expect, test } from 'vitest';
import { Life } from './life.ts';

test('a gateway that has begun to drain never serves again', () => {
  const life = new Life();
  expect(life.isDraining).toBe(false);
  life.drain();
  life.drain();
  expect(life.isDraining).toBe(true);
});
