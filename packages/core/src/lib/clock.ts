export type Cancel = () => void;

/** Time and timers. Tests replace them by fakes. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Milliseconds with fractions since an arbitrary moment; never goes backwards. */
  monotonic(): number;
  /** Runs `task` once after `delayMs`, unless cancelled. Does not keep the process alive. */
  after(delayMs: number, task: () => void): Cancel;
  /** Runs `task` once at the end of this turn of the event loop. */
  defer(task: () => void): void;
}

export const systemClock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
  defer(task) {
    setImmediate(task);
  },
};

/** Runs `task` every `periodMs` until cancelled, also after it has thrown. */
export function every(clock: Clock, periodMs: number, task: () => void): Cancel {
  let cancel = clock.after(periodMs, tick);
  function tick(): void {
    cancel = clock.after(periodMs, tick);
    task();
  }
  return () => cancel();
}
