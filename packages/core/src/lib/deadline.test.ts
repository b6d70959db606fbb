import { expect, test, vi } from 'vitest';
import { Deadline, withDeadline } from './deadline.ts';

const never = () => new Promise<never>(() => {});
const late = () => new Error('late');

test('a deadline passes on what settles in time', async () => {
  using deadline = new Deadline(60_000);
  expect(await deadline.settle(Promise.resolve(1))).toBe(1);
  await expect(deadline.settle(Promise.reject(new Error('refused')))).rejects.toThrow('refused');
});

test('[LIVE] a deadline gives up all work that is late, and work that is added afterwards', async () => {
  using deadline = new Deadline(1, late);
  const waiting = [deadline.settle(never()), deadline.settle(never())];
  for (const each of await Promise.allSettled(waiting)) {
    expect(each).toMatchObject({ reason: { message: 'late' } });
  }
  await expect(deadline.settle(never())).rejects.toThrow('late');
  expect(await deadline.settle(Promise.resolve('done already'))).toBe('done already');
});

test('[LIVE] late work is `unavailable` unless the deadline or the call says otherwise', async () => {
  using deadline = new Deadline(1);
  await expect(deadline.settle(never())).rejects.toMatchObject({ code: 'unavailable' });
  await expect(deadline.settle(never(), late)).rejects.toThrow('late');
});

test('an answer counts that arrived while this process was busy past the deadline', async () => {
  using deadline = new Deadline(1);
  const { promise, resolve } = Promise.withResolvers<string>();
  const work = deadline.settle(promise);
  const busyUntil = performance.now() + 5;
  while (performance.now() < busyUntil);
  setImmediate(() => resolve('arrived'));
  expect(await work).toBe('arrived');
});

test('withDeadline names the work that was late, and leaves no timer behind', async () => {
  await expect(withDeadline(never(), 1, 'the look-up')).rejects.toThrow(
    'the look-up took longer than 1 ms',
  );
  vi.useFakeTimers();
  try {
    expect(await withDeadline(Promise.resolve(2), 60_000, 'the look-up')).toBe(2);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
