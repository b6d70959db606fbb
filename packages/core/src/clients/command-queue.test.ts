import { expect, test } from 'vitest';
import { CommandQueue } from './command-queue.ts';

test('commands run one after the other, in the order in which they arrived', async () => {
  const done: string[] = [];
  const queue = new CommandQueue(10, { failed() {} });
  const slow = Promise.withResolvers<void>();
  queue.push(async () => {
    await slow.promise;
    done.push('first');
  });
  queue.push(() => {
    done.push('second');
  });
  slow.resolve();
  await expect.poll(() => done).toEqual(['first', 'second']);
});

test('[MEM] the queue refuses commands when it is full, and takes them again when it is not', async () => {
  const queue = new CommandQueue(2, { failed() {} });
  const slow = Promise.withResolvers<void>();
  expect(queue.push(() => slow.promise)).toBe(true);
  expect(queue.push(() => slow.promise)).toBe(true);
  expect(queue.push(() => slow.promise)).toBe(false);
  slow.resolve();
  await expect.poll(() => queue.push(() => {})).toBe(true);
});

test('a failed command does not keep the next one from running', async () => {
  const errors: unknown[] = [];
  const done: string[] = [];
  const queue = new CommandQueue(10, { failed: (error) => errors.push(error) });
  const error = new Error('failed');
  queue.push(() => Promise.reject(error));
  queue.push(() => {
    throw error;
  });
  queue.push(() => {
    done.push('third');
  });
  await expect.poll(() => done).toEqual(['third']);
  expect(errors).toEqual([error, error]);
});
