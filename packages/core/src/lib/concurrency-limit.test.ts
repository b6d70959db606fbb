import { expect, test } from 'vitest';
import { ConcurrencyLimit } from './concurrency-limit.ts';

const always = () => true;

/** Starts tasks that end when the test ends them. */
function startTasks(limit: ConcurrencyLimit) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    begun,
    end: (name: string) => ends.get(name)?.(),
    run: (name: string, isWanted = always) =>
      limit.run(() => {
        begun.push(name);
        return new Promise<string>((resolve) => ends.set(name, () => resolve(name)));
      }, isWanted),
  };
}

test('[LIVE] tasks beyond the running and waiting ones are rejected at once', async () => {
  const tasks = startTasks(new ConcurrencyLimit({ running: 2, waiting: 1 }));
  const [first, , third] = [tasks.run('1'), tasks.run('2'), tasks.run('3')];
  await expect(tasks.run('4')).rejects.toMatchObject({ code: 'unavailable' });
  expect(tasks.begun).toEqual(['1', '2']);
  tasks.end('1');
  expect(await first).toBe('1');
  await expect.poll(() => tasks.begun).toEqual(['1', '2', '3']);
  tasks.end('3');
  expect(await third).toBe('3');
});

test('[LIVE] a task that is no longer wanted when its turn comes is not run', async () => {
  const tasks = startTasks(new ConcurrencyLimit({ running: 1, waiting: 3 }));
  let wanted = true;
  const first = tasks.run('1');
  const abandoned = ['2', '3'].map((name) => tasks.run(name, () => wanted));
  const last = tasks.run('4');
  wanted = false;
  tasks.end('1');
  await first;
  for (const each of abandoned) await expect(each).rejects.toMatchObject({ code: 'unavailable' });
  await expect.poll(() => tasks.begun).toEqual(['1', '4']);
  tasks.end('4');
  await last;
});

test('a failed task makes room for the next one', async () => {
  const limit = new ConcurrencyLimit({ running: 1, waiting: 1 });
  const failing = limit.run(() => Promise.reject(new Error('no')), always);
  const next = limit.run(async () => 'next', always);
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('next');
  expect(await limit.run(async () => 'later', always)).toBe('later');
});
