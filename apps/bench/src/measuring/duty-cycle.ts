const PERIOD_MS = 10;

/**
 * Lets processes run for a share of the time only, as on a slower or a busy machine: they are
 * stopped and continued by signals, a hundred times a second.
 */
export class DutyCycle implements Disposable {
  readonly #pids: readonly number[];
  readonly #runsMs: number;
  #timer: NodeJS.Timeout;

  /** @param share of the time in which they run; more than 0 and less than 1 */
  constructor(pids: readonly number[], share: number) {
    this.#pids = pids;
    this.#runsMs = share * PERIOD_MS;
    this.#timer = setTimeout(this.#stop, this.#runsMs);
  }

  readonly #stop = (): void => {
    this.#signal('SIGSTOP');
    this.#timer = setTimeout(this.#continue, PERIOD_MS - this.#runsMs);
  };

  readonly #continue = (): void => {
    this.#signal('SIGCONT');
    this.#timer = setTimeout(this.#stop, this.#runsMs);
  };

  #signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    for (const pid of this.#pids) {
      try {
        process.kill(pid, signal);
      } catch {
        // It has ended.
      }
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#signal('SIGCONT');
  }
}
