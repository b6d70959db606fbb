/** Counts by key; a key whose count falls to 0 is forgotten. */
export class KeyCounts {
  readonly #counts = new Map<string, number>();

  get(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /** @returns the count after the change */
  add(key: string, change: 1 | -1): number {
    const count = (this.#counts.get(key) ?? 0) + change;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
    return count;
  }
}
