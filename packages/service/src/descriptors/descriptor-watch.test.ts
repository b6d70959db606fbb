import { systemClock } from '@leque/core';
import { describe, expect, test } from 'vitest';
import { DescriptorWatch } from './descriptor-watch.ts';
import { tooFewOpenFiles } from './open-files.ts';

/** A system with so many descriptors, of which others hold some, and a clock that the test moves. */
function startWatch(total: number) {
  const timers: (() => void)[] = [];
  const clock = {
    ...systemClock,
    after(_ms: number, task: () => void) {
      timers.push(task);
      return () => void timers.splice(timers.indexOf(task), 1);
    },
  };
  const system = { others: 0, held: 0 };
  const changes: boolean[] = [];
  const watch = new DescriptorWatch({
    clock,
    changed: (exhausted) => changes.push(exhausted),
    open() {
      if (system.held + system.others >= total)
        throw Object.assign(new Error(), { code: 'EMFILE' });
      system.held += 1;
      return system.held;
    },
    close() {
      system.held -= 1;
    },
  });
  const look = () => {
    for (const task of timers.splice(0)) task();
  };
  return { watch, system, changes, look, timers };
}

describe('a process without file descriptors', () => {
  test('[HON] says so once, and gives its reserve back', () => {
    const { watch, system, changes, look } = startWatch(100);
    look();
    expect([watch.exhausted, system.held]).toEqual([false, 32]);
    system.others = 68;
    look();
    look();
    expect([watch.exhausted, system.held, changes]).toEqual([true, 0, [true]]);
  });

  test('[HON] stays so until the reserve and a margin are free again', () => {
    const { watch, system, changes, look } = startWatch(100);
    system.others = 68;
    look();
    system.others = 100 - 32 - 15;
    look();
    expect([watch.exhausted, system.held]).toEqual([true, 0]);
    system.others = 100 - 32 - 16;
    look();
    expect([watch.exhausted, system.held, changes]).toEqual([false, 32, [true, false]]);
  });

  test('[LIVE] holds nothing after its end', () => {
    const { watch, system, timers } = startWatch(100);
    watch.close();
    expect([system.held, timers.length]).toEqual([0, 0]);
  });
});

test.each([
  [1000, 1024, expect.stringContaining('takes about 1200 open files, and ulimit -n allows 1024')],
  [800, 1024, undefined],
  [1_000_000, undefined, undefined],
])('%i connections under a limit of %s open files: %s', (connections, limit, problem) => {
  expect(tooFewOpenFiles(connections, limit ?? Number.POSITIVE_INFINITY)).toEqual(problem);
});
