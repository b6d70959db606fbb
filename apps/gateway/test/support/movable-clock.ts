import { type Cancel, type Clock, systemClock } from '@leque/core';

interface Timer {
  readonly dueAt: number;
  readonly cancelReal: Cancel;
  readonly task: () => void;
}

/** The system clock, which a test may move forward: timers that fall due meanwhile run at once. */
export class MovableClock implements Clock {
  readonly monotonic = systemClock.monotonic;
  readonly defer = systemClock.defer;
  readonly #timers = new Set<Timer>();
  #aheadMs = 0;

  now(): number {
    return systemClock.now() + this.#aheadMs;
  }

  after(delayMs: number, task: () => void): Cancel {
    const cancelReal = systemClock.after(delayMs, () => this.#run(timer));
    const timer = { dueAt: this.now() + delayMs, cancelReal, task };
    this.#timers.add(timer);
    return () => this.#cancel(timer);
  }

  moveTo(time: number): void {
    this.#aheadMs += Math.max(0, time - this.now());
    for (const timer of [...this.#timers].filter(({ dueAt }) => dueAt <= this.now())) {
      if (this.#timers.has(timer)) this.#run(timer);
    }
  }

  #run(timer: Timer): void {
    this.#cancel(timer);
    timer.task();
  }

  #cancel(timer: Timer): void {
    timer.cancelReal();
    this.#timers.delete(timer);
  }
}
