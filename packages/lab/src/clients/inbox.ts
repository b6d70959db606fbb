const DEADLINE_MS = 5000;
const SHOWN = 10;

/** The items that a client has received, and a way to wait for more. */
export class Inbox<T> {
  readonly items: T[] = [];
  readonly #waiting = new Set<(item: T) => void>();

  put(item: T): void {
    this.items.push(item);
    for (const look of [...this.#waiting]) look(item);
  }

  /** The first matching item, received already or before the deadline. */
  async first(matches: (item: T) => boolean, deadlineMs = DEADLINE_MS): Promise<T> {
    const found = this.items.find(matches);
    if (found !== undefined) return found;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const look = (item: T) => {
      if (matches(item)) resolve(item);
    };
    // Created here, because the stack of a timer does not show the waiting test.
    const error = new Error();
    const timer = setTimeout(() => {
      const last = this.items.slice(-SHOWN).map((item) => JSON.stringify(item).slice(0, 300));
      error.message = `nothing like ${matches} within ${deadlineMs} ms; last came:\n${last.join('\n')}`;
      reject(error);
    }, deadlineMs);
    this.#waiting.add(look);
    return promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(look);
    });
  }
}
