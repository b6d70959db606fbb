import { ProtocolError } from '@leque/protocol';

export interface ConcurrencyOptions {
  /** Maximum number of running tasks. */
  readonly running: number;
  /** Maximum number of waiting tasks; more are rejected at once (LIVE). */
  readonly waiting: number;
}

interface Waiting {
  readonly isWanted: () => boolean;
  readonly begin: () => void;
  readonly giveUp: () => void;
}

/** Runs at most `running` tasks, queues at most `waiting`, and rejects the rest. */
export class ConcurrencyLimit {
  readonly #limits: ConcurrencyOptions;
  readonly #line = new Set<Waiting>();
  #running = 0;

  constructor(limits: ConcurrencyOptions) {
    this.#limits = limits;
  }

  /** Whether no task runs or waits. */
  get idle(): boolean {
    return this.#running === 0;
  }

  /**
   * @param isWanted called when the task's turn comes; the task is not run when it returns false
   * @throws ProtocolError `unavailable` when the task is not run
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
      throw new ProtocolError('unavailable', 'queue is full');
    }
    await new Promise<void>((resolve, reject) => {
      const giveUp = () => reject(new ProtocolError('unavailable', 'timed out in the queue'));
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
