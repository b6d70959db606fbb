const EXACT = 128;
const BUCKETS_PER_DOUBLING = 64;

/** Counts of µs: exact below 128, then in 64 buckets for each doubling (1.6 % wide). */
export class LogLinear {
  readonly #counts = new Map<number, number>();

  add(value: number): void {
    const bound = upperBound(value);
    this.#counts.set(bound, (this.#counts.get(bound) ?? 0) + 1);
  }

  /** [upper bound, count], ascending. */
  entries(): [number, number][] {
    return [...this.#counts].sort(([a], [b]) => a - b);
  }
}

/** The largest value that falls into the same bucket. */
export function upperBound(value: number): number {
  if (value < EXACT) return value;
  const width = 2 ** (Math.floor(Math.log2(value)) - Math.log2(BUCKETS_PER_DOUBLING));
  return (Math.floor(value / width) + 1) * width - 1;
}
