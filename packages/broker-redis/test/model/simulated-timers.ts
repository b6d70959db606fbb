import type { Scheduler } from './scheduler.ts';

const real = { setTimeout, clearTimeout, setImmediate };

/**
 * Replaces the system's timers: those that are set while a simulated process runs follow the simulated
 * time.
 */
export function simulateTimers(scheduler: Scheduler): Disposable {
  const { current } = scheduler;
  if (current !== undefined) throw new Error('only one simulation can run at a time');
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
