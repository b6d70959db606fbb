import { ProtocolError } from '@leque/protocol';
import { type Cancel, type Clock, systemClock } from './clock.ts';

/** Work that did not settle in time; it may still happen. */
class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/** A moment after which nobody waits any longer, whatever becomes of the work (LIVE). */
export class Deadline implements Disposable {
  readonly #late: () => Error;
  readonly #cancel: Cancel;
  #waiting: (() => void)[] = [];
  #expired = false;

  /** @param late makes the error of work that is late: ProtocolError `unavailable` unless given */
  constructor(ms: number, late: () => Error = noAnswerInTime) {
    this.#late = late;
    this.#cancel = afterNextTurn(ms, () => this.#expire());
  }

  get expired(): boolean {
    return this.#expired;
  }

  /**
   * Waits for `work` until the deadline; `work` itself goes on. Any number of calls may share one
   * deadline, and its one timer: a batch calls this for each of its events.
   * @throws the error of `late` when `work` has not settled in time
   */
  settle<T>(work: Promise<T>, late: () => Error = this.#late): Promise<T> {
    return new Promise((resolve, reject) => {
      work.then(resolve, reject);
      if (this.#expired) queueMicrotask(() => reject(late()));
      else this.#waiting.push(() => reject(late()));
    });
  }

  #expire(): void {
    this.#expired = true;
    for (const giveUp of this.#waiting) giveUp();
    this.#waiting = [];
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }
}

function noAnswerInTime(): Error {
  return new ProtocolError('unavailable', 'no answer in time');
}

/**
 * Settles as `work` does. It makes one promise and no `Deadline`, because every command to Redis passes
 * here.
 * @throws DeadlineError when `work` has not settled after `ms`; `work` itself goes on
 */
export function withDeadline<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new DeadlineError(`${what} took longer than ${ms} ms`));
    const cancel = afterNextTurn(ms, late);
    work.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error);
      },
    );
  });
}

/**
 * Runs `task` one turn of the event loop after `ms`. Timers run before sockets are read, so an answer that
 * arrived while this process was busy still counts.
 */
function afterNextTurn(ms: number, task: () => void): Cancel {
  return systemClock.after(ms, () => systemClock.defer(task));
}

/** A pause that its owner can end early. */
export class Pause {
  readonly #clock: Clock;
  #end: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async wait(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(ms, resolve);
    this.#end = resolve;
    await promise;
    cancel();
  }

  end(): void {
    this.#end?.();
  }
}
