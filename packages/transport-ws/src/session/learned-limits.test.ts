import { expect, test } from 'vitest';
import { clientKey, LearnedLimits } from './learned-limits.ts';

test('a client that refuses messages again and again gets smaller ones, step by step', () => {
  const limits = new LearnedLimits();
  const key = clientKey(['alice', 'Tomcat', '/ws/notifications']);
  const seen = Array.from({ length: 7 }, () => {
    limits.refused(key);
    return limits.of(key);
  });
  expect(seen).toEqual([undefined, 65_536, 32_768, 8192, 4096, 1024, 1024]);
  expect(limits.of(clientKey(['alice', 'Firefox', '/ws/notifications']))).toBeUndefined();
});
