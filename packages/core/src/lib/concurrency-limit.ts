import { ProtocolError } from '@leque/protocol';

export interface ConcurrencyOptions {
  /** Tasks that run at a time. */
  readonly running: number;
  /** Tasks that wait for one of them to end; more are refused at once (LIVE). */
  readonly waiting: number;
}

interface Waiting {
  readonly isWanted: () => boolean;
  readonly begin: () => void;
  readonly giveUp: () => void;
}

/** Lets so many tasks run at a time; so many others wait in line. */
export class ConcurrencyLimit {
  readonly #limits: ConcurrencyOptions;
  readonly #line = new Set<Waiting>();
  #running = 0;

  constructor(limits: ConcurrencyOptions) {
    this.#limits = limits;
  }

  /** Nothing runs, and nothing waits. */
  get idle(): boolean {
    return this.#running === 0;
  }

  /**
   * @param isWanted whether anybody still waits for it when its turn comes: if not, it is not run
   * @throws ProtocolError `unavailable` for what is not run
   */
  async run<T>(task: () => Promise<T>, isWanted: () => boolean): Promise<T> {
    if (this.#running < this.#limits.running) this.#running += 1;
    else await this.#turn(isWanted);
    try {
      return await task();
    } finally {
      this.#running -= 1;
      this.#beginNext();
    }
  }

  async #turn(isWanted: () => boolean): Promise<void> {
    if (this.#line.size >= this.#limits.waiting) {
      throw new ProtocolError('unavailable', 'too many wait already');
    }
    await new Promise<void>((resolve, reject) => {
      const giveUp = () =>
        reject(new ProtocolError('unavailable', 'its turn did not come in time'));
      this.#line.add({ isWanted, begin: resolve, giveUp });
    });
  }

  #beginNext(): void {
    for (const waiting of this.#line) {
      this.#line.delete(waiting);
      if (waiting.isWanted()) {
        this.#running += 1;
        waiting.begin();
        return;
      }
      waiting.giveUp();
    }
  }
}
