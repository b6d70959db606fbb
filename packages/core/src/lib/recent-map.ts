import type { Clock } from './clock.ts';

interface Kept<V> {
  readonly value: V;
  /** On the monotonic clock. */
  readonly until: number;
}

export interface RecentLimits {
  readonly entries: number;
  readonly ttlMs: number;
}

/**
 * The newest entries of a map: no more than so many, no fewer than half of them, and none older
 * than so long. Two generations, of which the older one is dropped as a whole: a map from which the
 * oldest entry is taken again and again has to walk over all that were taken before.
 */
export class RecentMap<V> {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #entries: number;
  readonly #ttlMs: number;
  #young = new Map<string, Kept<V>>();
  #old = new Map<string, Kept<V>>();

  /** @param limits at least one entry */
  constructor(clock: Pick<Clock, 'monotonic'>, limits: RecentLimits) {
    this.#clock = clock;
    this.#entries = Math.ceil(limits.entries / 2);
    this.#ttlMs = limits.ttlMs;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  set(key: string, value: V): void {
    if (this.#young.size >= this.#entries) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, { value, until: this.#clock.monotonic() + this.#ttlMs });
  }

  get(key: string): V | undefined {
    const kept = this.#young.get(key) ?? this.#old.get(key);
    return kept === undefined || kept.until < this.#clock.monotonic() ? undefined : kept.value;
  }
}
