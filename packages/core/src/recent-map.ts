import type { Clock } from './clock.ts';

interface Kept<V> {
  readonly value: V;
  /** On the monotonic clock. */
  readonly until: number;
}

/** The newest entries of a map, no more than so many and none older than so long. */
export class RecentMap<V> {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #limits: { readonly entries: number; readonly ttlMs: number };
  readonly #kept = new Map<string, Kept<V>>();

  constructor(
    clock: Pick<Clock, 'monotonic'>,
    limits: { readonly entries: number; readonly ttlMs: number },
  ) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** A key that is there already becomes the newest. */
  set(key: string, value: V): void {
    this.#kept.delete(key);
    this.#kept.set(key, { value, until: this.#clock.monotonic() + this.#limits.ttlMs });
    if (this.#kept.size > this.#limits.entries) this.#dropOldest();
  }

  get(key: string): V | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined || kept.until >= this.#clock.monotonic()) return kept?.value;
    this.#kept.delete(key);
    return undefined;
  }

  #dropOldest(): void {
    for (const key of this.#kept.keys()) {
      this.#kept.delete(key);
      return;
    }
  }
}
