import type { Cancel, Clock } from '@leque/core';

interface Timer {
  readonly at: number;
  readonly task: () => void;
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  readonly #timers = new Set<Timer>();
  #deferred: (() => void)[] = [];
  #now: number;

  constructor(now = 1_700_000_000_000) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  after(delayMs: number, task: () => void): Cancel {
    const timer = { at: this.#now + delayMs, task };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  defer(task: () => void): void {
    this.#deferred.push(task);
  }

  /** Number of timers that are neither cancelled nor due. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Runs the tasks that were deferred to the end of the turn. */
  endTurn(): void {
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const task of deferred) task();
  }

  /**
   * Ends the turn, then runs every timer that falls due, in order and each in a turn of its own.
   */
  advance(ms: number): void {
    const end = this.#now + ms;
    this.endTurn();
    for (let next = this.#nextBefore(end); next !== undefined; next = this.#nextBefore(end)) {
      this.#timers.delete(next);
      this.#now = next.at;
      next.task();
      this.endTurn();
    }
    this.#now = end;
  }

  #nextBefore(end: number): Timer | undefined {
    const due = [...this.#timers].filter(({ at }) => at <= end);
    return due.toSorted((a, b) => a.at - b.at)[0];
  }
}
