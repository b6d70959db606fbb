import { FakeClock } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { CommandPace } from './command-pace.ts';

const LIMITS = { perSecond: 10, burst: 3 };

test('[WS8.1] after the burst each command waits for its part of a second', () => {
  const clock = new FakeClock();
  const pace = new CommandPace(clock, LIMITS);
  const waits = Array.from({ length: 4 }, () => {
    const { waitMs } = pace;
    pace.take(1);
    return waitMs;
  });
  expect(waits).toEqual([0, 0, 0, 100]);
  clock.advance(60_000);
  pace.take(2);
  expect(pace.waitMs).toBe(0); // a quiet time gives back the burst and no more
  pace.take(2);
  expect(pace.waitMs).toBe(200);
});

test('[WS8.2] what a command counts as more makes the next one wait', () => {
  const pace = new CommandPace(new FakeClock(), LIMITS);
  pace.take(1);
  pace.take(32);
  expect(pace.waitMs).toBe(3100);
});

test('[WS8] refusals of more than a hundred commands in a second are too many', () => {
  const clock = new FakeClock();
  const pace = new CommandPace(clock, LIMITS);
  const refuse = () => Array.from({ length: 101 }, () => pace.mayRefuse()).lastIndexOf(true);
  expect(refuse()).toBe(99);
  clock.advance(1000);
  expect(refuse()).toBe(99);
});
