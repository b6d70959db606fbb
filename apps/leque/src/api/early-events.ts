import { tryParseCursor } from '@leque/protocol';
import type { Followed } from './followed.ts';

/**
 * Sets aside what comes before the answer to a command, see [RE3.7]: only the answer says whether
 * something is missing before it. A connection that ends before has brought nothing.
 */
export class EarlyEvents {
  readonly #after: number;
  /** Undefined once the command is answered. */
  #early: Followed[] | undefined = [];

  /** @param since the cursor that was presented */
  constructor(since: string | undefined) {
    this.#after = offsetOf(since) ?? 0;
  }

  *take(followed: Followed): Generator<Followed, void> {
    const early = this.#early;
    if (early === undefined) {
      yield followed;
    } else if (followed.kind === 'event') {
      early.push(followed);
    } else if (followed.kind !== 'dropped' && followed.isAnswer) {
      this.#early = undefined;
      if (followed.kind === 'ready') yield* early.filter((event) => this.#isNew(event));
      yield followed;
    }
  }

  #isNew({ cursor }: Followed): boolean {
    return (offsetOf(cursor) ?? Number.POSITIVE_INFINITY) > this.#after;
  }
}

function offsetOf(cursor: string | undefined): number | undefined {
  return tryParseCursor(cursor ?? '')?.offset;
}
