import { expect, test } from 'vitest';
import { Deadline } from './deadline.ts';

const late = () => new Error('late');
const never = () => new Promise<never>(() => {});

test('work that settles in time is answered as it settled', async () => {
  using deadline = new Deadline(60_000);
  expect(await deadline.settle(Promise.resolve(1), late)).toBe(1);
  await expect(deadline.settle(Promise.reject(new Error('refused')), late)).rejects.toThrow(
    'refused',
  );
});

test('[LIVE] work that does not is given up, all of it, and so is what comes after', async () => {
  using deadline = new Deadline(1);
  const waiting = [deadline.settle(never(), late), deadline.settle(never(), late)];
  for (const each of await Promise.allSettled(waiting)) {
    expect(each).toMatchObject({ reason: { message: 'late' } });
  }
  await expect(deadline.settle(never(), late)).rejects.toThrow('late');
  expect(await deadline.settle(Promise.resolve('done already'), late)).toBe('done already');
});
