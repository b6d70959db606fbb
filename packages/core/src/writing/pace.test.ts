import { expect, test } from 'vitest';
import { Pace } from './pace.ts';

/** Takes so much of the time, in writes that come so long after the one before. */
interface Writing {
  readonly share: number;
  readonly sinceMs: number;
  readonly turns: number;
}

/** Sockets that wait, sockets that are due whenever they are touched, and quiet ones. */
const BUSY: Writing = { share: 0.8, sinceMs: 5, turns: 5 };
const SATURATED: Writing = { share: 0.99, sinceMs: 8, turns: 1 };
const IDLE: Writing = { share: 0.01, sinceMs: 1000, turns: 1 };

/** Lives for half a second, in turns of 10 ms. */
function live(pace: Pace, { share, sinceMs, turns }: Writing, from = 0): number {
  let now = from;
  for (let turn = 0; turn < 50; turn += 1) {
    now += 10;
    for (let write = 0; write < 20; write += 1) pace.wrote(sinceMs, turns);
    pace.spent(10 * share, now);
  }
  return now;
}

test('the window gets longer while writing takes most of the time', () => {
  const pace = new Pace(5);
  live(pace, BUSY);
  expect(pace.windowMs).toBe(10);
});

test('the window gets longer also where every socket is due when it is touched and none waits', () => {
  const pace = new Pace(5);
  live(pace, SATURATED);
  expect(pace.windowMs).toBe(pace.maxWindowMs);
  expect(pace.maxWindowMs).toBe(20);
});

test('the window is the configured one again when the load is gone', () => {
  const pace = new Pace(5);
  const now = live(pace, SATURATED);
  live(pace, IDLE, now);
  expect(pace.windowMs).toBe(5);
});

test('the first write after a pause ends a longer window at once', () => {
  const pace = new Pace(5);
  const now = live(pace, SATURATED);
  pace.wrote(60_000, 1);
  pace.spent(0.01, now + 60_000);
  expect(pace.windowMs).toBe(5);
  live(pace, SATURATED, now + 60_000);
  expect(pace.windowMs).toBe(20);
});

test('the window stays the same while the writes take a medium share of the time', () => {
  const pace = new Pace(5);
  live(pace, { share: 0.55, sinceMs: 6, turns: 5 });
  expect(pace.windowMs).toBe(5);
  const now = live(pace, BUSY, 500);
  live(pace, { share: 0.3, sinceMs: 11, turns: 5 }, now);
  expect(pace.windowMs).toBe(10);
});

test('the window does not get longer for sockets that are written to less often anyway', () => {
  const pace = new Pace(5);
  live(pace, { share: 0.9, sinceMs: 40, turns: 1 });
  expect(pace.windowMs).toBe(5);
});

test('the first write to a socket does not make the window longer', () => {
  const pace = new Pace(5);
  live(pace, { share: 0.9, sinceMs: Number.POSITIVE_INFINITY, turns: 1 });
  expect(pace.windowMs).toBe(5);
});

test('a window of zero stays zero under load', () => {
  const pace = new Pace(0);
  live(pace, BUSY);
  expect(pace.windowMs).toBe(0);
});

test('publications gather only with a longer window, and at most for the configured one', () => {
  const pace = new Pace(5);
  expect(pace.gatherMs).toBe(0);
  const now = live(pace, SATURATED);
  expect(pace.gatherMs).toBe(5);
  live(pace, IDLE, now);
  expect(pace.gatherMs).toBe(0);
});
