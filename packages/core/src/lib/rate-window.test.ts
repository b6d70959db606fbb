import { FakeClock } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { RateWindow } from './rate-window.ts';

test('commands beyond the limit are refused, and beyond twice the limit close the connection', () => {
  const limiter = new RateWindow(new FakeClock(), 2);
  const verdicts = Array.from({ length: 5 }, () => limiter.take());
  expect(verdicts).toEqual(['ok', 'ok', 'refuse', 'refuse', 'close']);
});

test('[LIVE] a command counts for as much as it asks for', () => {
  const limiter = new RateWindow(new FakeClock(), 3);
  expect([limiter.take(3), limiter.take(2), limiter.take(2)]).toEqual(['ok', 'refuse', 'close']);
});

test('a new second starts a new window', () => {
  const clock = new FakeClock();
  const limiter = new RateWindow(clock, 1);
  expect([limiter.take(), limiter.take()]).toEqual(['ok', 'refuse']);
  clock.advance(999);
  expect(limiter.take()).toBe('close');
  clock.advance(1);
  expect(limiter.take()).toBe('ok');
});
