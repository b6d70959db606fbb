const EXPIRED = Symbol('expired');

/** A moment by which a request is answered, whether or not anybody has answered us (LIVE). */
export class Deadline implements Disposable {
  readonly #expiry = Promise.withResolvers<typeof EXPIRED>();
  readonly #timer: NodeJS.Timeout;

  constructor(ms: number) {
    this.#timer = setTimeout(() => this.#expiry.resolve(EXPIRED), ms);
  }

  /** @throws what `late` makes, when `work` has not settled in time; `work` itself goes on */
  async settle<T>(work: Promise<T>, late: () => Error): Promise<T> {
    const outcome = await Promise.race([work, this.#expiry.promise]);
    if (outcome === EXPIRED) throw late();
    return outcome;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
