import type { Clock } from './clock.ts';
import type { Outbox } from './outbox.ts';

/** Flushes every outbox that was touched in a turn of the event loop, once, at its end. */
export class Flusher {
  readonly #clock: Clock;
  #touched = new Set<Outbox>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  touch(outbox: Outbox): void {
    if (this.#touched.size === 0) this.#clock.defer(() => this.#flushAll());
    this.#touched.add(outbox);
  }

  #flushAll(): void {
    const touched = this.#touched;
    this.#touched = new Set();
    for (const outbox of touched) outbox.flush();
  }
}
