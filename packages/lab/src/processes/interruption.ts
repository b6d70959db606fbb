import { watchStopRequests } from '@leque/service';

export const INTERRUPTED_EXIT_CODE = 130;

/** Aborts its signal when somebody wants the process to end; a second request ends it at once. */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  readonly #watch: Disposable;

  constructor(startedByNpm: boolean) {
    const stop = () => this.#controller.abort(new Error('interrupted'));
    const stopNow = () => process.exit(INTERRUPTED_EXIT_CODE);
    this.#watch = watchStopRequests({ stop, stopNow }, startedByNpm);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
  }
}
