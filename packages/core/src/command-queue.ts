/**
 * Runs one connection's commands one after the other, so that answers come in the order of the
 * questions. Bounded: a client that asks faster than it can be answered is told so.
 */
export class CommandQueue {
  readonly #maxWaiting: number;
  readonly #onError: (error: unknown) => void;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(maxWaiting: number, onError: (error: unknown) => void) {
    this.#maxWaiting = maxWaiting;
    this.#onError = onError;
  }

  /** False, and the task is not run, when too many wait. */
  push(task: () => void | Promise<void>): boolean {
    if (this.#waiting >= this.#maxWaiting) return false;
    this.#waiting += 1;
    this.#last = this.#last.then(task).catch(this.#onError);
    this.#last = this.#last.finally(() => {
      this.#waiting -= 1;
    });
    return true;
  }
}
