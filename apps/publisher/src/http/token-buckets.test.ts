import { Random } from '@leque/testkit';
import { FakeClock } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { TokenBuckets } from './token-buckets.ts';

test('a full bucket gives its burst at once, and then its rate', () => {
  const clock = new FakeClock();
  const buckets = new TokenBuckets({ perSecond: 10, burst: 20 }, clock);
  const taken = () => buckets.take('a', 1).allowed;
  expect(Array.from({ length: 25 }, taken).filter(Boolean)).toHaveLength(20);
  clock.advance(500);
  expect(Array.from({ length: 25 }, taken).filter(Boolean)).toHaveLength(5);
});

test('a caller does not use up what belongs to another', () => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 1 }, new FakeClock());
  expect(buckets.take('a', 1).allowed).toBe(true);
  expect(buckets.take('a', 1).allowed).toBe(false);
  expect(buckets.take('b', 1).allowed).toBe(true);
});

test('more than a full bucket is given once, and paid for afterwards', () => {
  const clock = new FakeClock();
  const buckets = new TokenBuckets({ perSecond: 10, burst: 20 }, clock);
  expect(buckets.take('a', 60)).toMatchObject({ allowed: true, remaining: 0, fullInMs: 6_000 });
  const { allowed, retryInMs } = buckets.take('a', 1);
  expect([allowed, Math.ceil(retryInMs)]).toEqual([false, 4_100]);
});

test('no caller gets more than burst and rate allow, and each wait that is named is enough', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = new Random(seed);
    const clock = new FakeClock();
    const rate = { perSecond: 1 + random.below(50), burst: 1 + random.below(100) };
    const buckets = new TokenBuckets(rate, clock);
    let taken = 0;
    let elapsedMs = 0;
    for (let step = 0; step < 100; step += 1) {
      const units = 1 + random.below(rate.burst);
      const first = buckets.take('a', units);
      if (!first.allowed) {
        const waitMs = Math.ceil(first.retryInMs);
        clock.advance(waitMs);
        elapsedMs += waitMs;
        expect(buckets.take('a', units).allowed, `seed ${seed}`).toBe(true);
      }
      taken += units;
      const most = rate.burst + (rate.perSecond * elapsedMs) / 1000;
      expect(taken, `seed ${seed}`).toBeLessThanOrEqual(most + 1e-6);
    }
  }
});
