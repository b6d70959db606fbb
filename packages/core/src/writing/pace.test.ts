import { expect, test } from 'vitest';
import { Pace } from './pace.ts';

/** Simulates many periods in which flushing takes the given share of the time. */
function live(pace: Pace, load: number, { waiting = true, from = 0 } = {}): number {
  let now = from;
  for (let step = 0; step < 500; step += 1) {
    now += 10;
    pace.flushed();
    if (waiting) pace.waits();
    pace.spent(10 * load, now);
  }
  return now;
}

test('the window grows to a limit while flushing takes most of the time', () => {
  const pace = new Pace(5);
  live(pace, 0.9);
  expect(pace.windowMs).toBe(pace.maxWindowMs);
  expect(pace.maxWindowMs).toBe(20);
});

test('the window shrinks to the configured one when the load is gone', () => {
  const pace = new Pace(5);
  const now = live(pace, 0.9);
  live(pace, 0.1, { from: now });
  expect(pace.windowMs).toBe(5);
});

test('the window does not change under medium load', () => {
  const pace = new Pace(5);
  live(pace, 0.42);
  expect(pace.windowMs).toBe(5);
});

test('the window does not grow while no socket waits for it', () => {
  const pace = new Pace(5);
  live(pace, 0.9, { waiting: false });
  expect(pace.windowMs).toBe(5);
});

test('sockets that waited before the load began do not let the window grow', () => {
  const pace = new Pace(5);
  for (let count = 0; count < 10_000; count += 1) pace.waits();
  pace.spent(0, 100);
  live(pace, 0.9, { waiting: false, from: 100 });
  expect(pace.windowMs).toBe(5);
});

test('a window of zero stays zero under load', () => {
  const pace = new Pace(0);
  live(pace, 0.9);
  expect(pace.windowMs).toBe(0);
});

test('publications gather only while the window is stretched, at most for the configured window', () => {
  const pace = new Pace(5);
  expect(pace.gatherMs).toBe(0);
  const now = live(pace, 0.9);
  expect(pace.gatherMs).toBe(5);
  live(pace, 0.1, { from: now });
  expect(pace.gatherMs).toBe(0);
});
