/** Numbers that a seed repeats (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** Each of the items one time out of two. */
  some<T>(items: readonly T[]): T[] {
    return items.filter(() => this.below(2) === 0);
  }

  /** One of the items, or undefined two times out of three. */
  maybe<T>(items: readonly T[]): T | undefined {
    return this.below(3) === 0 ? this.of(items) : undefined;
  }
}
