import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { CommandPace } from './command-pace.ts';
import { CommandQueue, MAX_WAITING, type WaitingCommand } from './command-queue.ts';

/** A queue on a clock that stands still. */
function start({ perSecond = 10, burst = 1000 } = {}) {
  const clock = new FakeClock();
  const errors: unknown[] = [];
  const pace = new CommandPace(clock, { perSecond, burst });
  const queue = new CommandQueue(pace, {
    clock,
    failed: (error) => errors.push(error),
    idle() {},
  });
  const done: string[] = [];
  const push = (name: string, fields: Partial<WaitingCommand> = {}) => {
    const run = () => {
      pace.take(1);
      done.push(name);
    };
    return queue.push({ run, bytes: 1, isUrgent: false, channels: [], ...fields });
  };
  const advance = async (ms: number) => {
    clock.advance(ms);
    await setImmediate();
  };
  return { clock, queue, push, advance, done, errors };
}

const names = (count: number) => Array.from({ length: count }, (_, n) => `${n}`);

test('[WS3] commands run one after the other, in the order in which they arrived', async () => {
  const { push, done } = start();
  const slow = Promise.withResolvers<void>();
  push('first', { run: () => slow.promise.then(() => void done.push('first')) });
  push('second');
  push('urgent', { isUrgent: true });
  slow.resolve();
  await expect.poll(() => done).toEqual(['first', 'second', 'urgent']);
});

test('[WS8.1] commands beyond the burst run at the pace, in their order', async () => {
  const { push, advance, done } = start({ burst: 3 });
  for (const name of names(8)) push(name);
  await advance(0);
  expect(done).toEqual(names(3));
  await advance(100);
  expect(done).toEqual(names(4));
  for (let n = 0; n < 4; n += 1) await advance(100);
  expect(done).toEqual(names(8));
});

test('[WS3.5] urgent commands overtake those that wait for the pace, and keep their own order', async () => {
  const { push, advance, done } = start({ burst: 1 });
  for (const name of names(4)) push(name);
  await advance(0);
  push('ping', { isUrgent: true });
  push('auth', { isUrgent: true });
  for (let n = 0; n < 5; n += 1) await advance(100);
  expect(done).toEqual(['0', 'ping', 'auth', '1', '2', '3']);
});

test('[MEM] [WS8.4] commands beyond the limit are refused, and urgent ones have a little more room', async () => {
  const { push, advance, done } = start({ burst: 1 });
  push('0');
  await advance(0);
  expect(names(MAX_WAITING).every((name) => push(name))).toBe(true);
  expect(push('too many')).toBe(false);
  const isUrgent = true;
  expect(
    names(17)
      .map((name) => push(name, { isUrgent }))
      .lastIndexOf(true),
  ).toBe(15);
  await advance(100);
  expect(done).toHaveLength(2);
  expect(push('too many')).toBe(false);
});

test('[MEM] large commands are refused before there are many of them', async () => {
  const { push, advance } = start({ burst: 1 });
  push('0');
  await advance(0);
  const bytes = 65_536;
  expect(names(5).map((name) => push(name, { bytes }))).toEqual([true, true, true, true, false]);
});

test('[LIVE] a queue that is cleared runs nothing more, and has no timer', async () => {
  const { clock, queue, push, advance, done } = start({ burst: 1 });
  for (const name of names(8)) push(name);
  await advance(0);
  queue.clear();
  await setImmediate();
  expect({ done, pending: clock.pending }).toEqual({ done: ['0'], pending: 0 });
  await advance(1000);
  push('later');
  await expect.poll(() => done).toEqual(['0', 'later']);
});

test('a failed command does not keep the next one from running', async () => {
  const { push, done, errors } = start();
  const error = new Error('failed');
  push('rejects', { run: () => Promise.reject(error) });
  push('throws', {
    run: () => {
      throw error;
    },
  });
  push('third');
  await expect.poll(() => done).toEqual(['third']);
  expect(errors).toEqual([error, error]);
});
