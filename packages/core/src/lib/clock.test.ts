import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { every, systemClock } from './clock.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a task runs once after its delay, unless it is cancelled', () => {
  const ran: string[] = [];
  systemClock.after(100, () => ran.push('kept'));
  systemClock.after(100, () => ran.push('cancelled'))();
  vi.advanceTimersByTime(99);
  expect(ran).toEqual([]);
  vi.advanceTimersByTime(1_000);
  expect(ran).toEqual(['kept']);
});

test('[LIVE] a repeated task runs until it is cancelled, even by itself', () => {
  let runs = 0;
  const cancel = every(systemClock, 100, () => {
    runs += 1;
    if (runs === 3) cancel();
  });
  vi.advanceTimersByTime(10_000);
  expect(runs).toBe(3);
  expect(vi.getTimerCount()).toBe(0);
});

test('a repeated task continues after it has thrown', () => {
  let runs = 0;
  const cancel = every(systemClock, 100, () => {
    runs += 1;
    throw new Error('failed');
  });
  for (let round = 0; round < 3; round += 1) {
    expect(() => vi.advanceTimersByTime(100)).toThrow('failed');
  }
  expect(runs).toBe(3);
  cancel();
});

test('a deferred task runs at the end of the turn', () => {
  const ran: string[] = [];
  systemClock.defer(() => ran.push('deferred'));
  ran.push('now');
  vi.runAllTicks();
  vi.advanceTimersByTime(0);
  expect(ran).toEqual(['now', 'deferred']);
});
