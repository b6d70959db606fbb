import { expect, test } from 'vitest';
import { Pace } from './pace.ts';

/** Many periods in which flushing takes a share of the time. */
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

test('while flushing takes most of the time, busy sockets wait longer, to a limit', () => {
  const pace = new Pace(5);
  live(pace, 0.9);
  expect(pace.windowMs).toBe(pace.maxWindowMs);
  expect(pace.maxWindowMs).toBe(20);
});

test('when the load is gone the window is as configured again', () => {
  const pace = new Pace(5);
  const now = live(pace, 0.9);
  live(pace, 0.1, { from: now });
  expect(pace.windowMs).toBe(5);
});

test('between the two it stays as it is', () => {
  const pace = new Pace(5);
  live(pace, 0.42);
  expect(pace.windowMs).toBe(5);
});

test('nobody waits longer where nobody waits: it would cost latency and save nothing', () => {
  const pace = new Pace(5);
  live(pace, 0.9, { waiting: false });
  expect(pace.windowMs).toBe(5);
});

test('who waited once, while there was no load, is not waited for later', () => {
  const pace = new Pace(5);
  for (let count = 0; count < 10_000; count += 1) pace.waits();
  pace.spent(0, 100);
  live(pace, 0.9, { waiting: false, from: 100 });
  expect(pace.windowMs).toBe(5);
});

test('without pacing there is none under load', () => {
  const pace = new Pace(0);
  live(pace, 0.9);
  expect(pace.windowMs).toBe(0);
});

test('publications gather only while the window is stretched, and no longer than it was configured', () => {
  const pace = new Pace(5);
  expect(pace.gatherMs).toBe(0);
  const now = live(pace, 0.9);
  expect(pace.gatherMs).toBe(5);
  live(pace, 0.1, { from: now });
  expect(pace.gatherMs).toBe(0);
});
