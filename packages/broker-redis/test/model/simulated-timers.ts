import type { Scheduler } from './scheduler.ts';

const real = { setTimeout, clearTimeout, setImmediate };

/**
 * Deadlines that take the system's timers pass in simulated time, too, while a process of the
 * simulation runs.
 */
export function simulateTimers(scheduler: Scheduler): Disposable {
  const { current } = scheduler;
  if (current !== undefined) throw new Error('one simulation at a time');
  Object.assign(globalThis, {
    setTimeout(task: () => void, delayMs: number) {
      const owner = scheduler.current;
      if (owner === undefined) return real.setTimeout(task, delayMs);
      const cancel = owner.after(delayMs, task);
      return { cancel, unref() {} };
    },
    clearTimeout(timer: { cancel?: () => void } | undefined) {
      if (timer?.cancel === undefined) real.clearTimeout(timer as NodeJS.Timeout | undefined);
      else timer.cancel();
    },
    setImmediate(task: () => void) {
      const owner = scheduler.current;
      return owner === undefined ? real.setImmediate(task) : owner.defer(task);
    },
  });
  return { [Symbol.dispose]: () => void Object.assign(globalThis, real) };
}
