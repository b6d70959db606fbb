const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** npm passes on what the terminal has sent to the whole group already. */
const SAME_INTERRUPTION_MS = 500;
const PARENT_LOOK_MS = 1000;
export const INTERRUPTED_EXIT_CODE = 130;

/** Says when somebody wants it to end; a second time ends it at once. */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  #interruptedAt: number | undefined;
  readonly #interrupt = () => {
    this.#interruptedAt ??= performance.now();
    const isAnother = performance.now() - this.#interruptedAt > SAME_INTERRUPTION_MS;
    if (isAnother) process.exit(INTERRUPTED_EXIT_CODE);
    this.#controller.abort(new Error('interrupted'));
  };
  readonly #parentWatch: NodeJS.Timeout | undefined;

  /** @param watchParent npm's shell dies of a signal without passing it on */
  constructor(watchParent: boolean) {
    for (const signal of SIGNALS) process.on(signal, this.#interrupt);
    if (watchParent) this.#parentWatch = watchFor(process.ppid, this.#interrupt);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#interrupt);
    clearInterval(this.#parentWatch);
  }
}

function watchFor(parent: number, onGone: () => void): NodeJS.Timeout {
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onGone();
  }, PARENT_LOOK_MS);
  return timer.unref();
}
