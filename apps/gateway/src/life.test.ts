import { expect, test } from 'vitest';
import { Life } from './life.ts';

test('the life of a gateway goes forward, and never back', () => {
  const life = new Life();
  const seen = (['serving', 'draining', 'serving', 'closed', 'draining'] as const).map((phase) => {
    life.enter(phase);
    return life.phase;
  });
  expect(seen).toEqual(['serving', 'draining', 'draining', 'closed', 'closed']);
});
