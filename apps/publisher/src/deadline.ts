/** A moment by which a request is answered, whether or not anybody has answered us (LIVE). */
export class Deadline implements Disposable {
  readonly #timer: NodeJS.Timeout;
  readonly #waiting: (() => void)[] = [];
  #expired = false;

  constructor(ms: number) {
    this.#timer = setTimeout(() => this.#expire(), ms);
  }

  /**
   * A batch does this for each of its events, hence not with `Promise.race`, which costs more.
   * @throws what `late` makes, when `work` has not settled in time; `work` itself goes on
   */
  settle<T>(work: Promise<T>, late: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      work.then(resolve, reject);
      if (this.#expired) queueMicrotask(() => reject(late()));
      else this.#waiting.push(() => reject(late()));
    });
  }

  #expire(): void {
    this.#expired = true;
    for (const giveUp of this.#waiting.splice(0)) giveUp();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
