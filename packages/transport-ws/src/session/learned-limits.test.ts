import { expect, test } from 'vitest';
import { clientKey, LearnedLimits } from './learned-limits.ts';

test.each([
  [20_000, [undefined, 65_536, 32_768, 8192, 4096, 1024, 1024]],
  [65_536, [undefined, 65_536, 32_768, 8192, 4096, 1024, 1024]],
  [1_048_576, [undefined, 524_288, 262_144, 131_072, 65_536, 32_768, 8192]],
])(
  '[CL3] where events have %i bytes, a client that refuses messages gets smaller ones, step by step',
  (max, steps) => {
    const limits = new LearnedLimits(max);
    const key = clientKey(['alice', 'Tomcat', '/ws/notifications']);
    const seen = Array.from({ length: 7 }, () => {
      limits.refused(key);
      return limits.of(key);
    });
    expect(seen).toEqual(steps);
    expect(limits.of(clientKey(['alice', 'Firefox', '/ws/notifications']))).toBeUndefined();
  },
);
