/**
 * A histogram of plain numbers, for code that runs too often for a metrics library: the number of
 * observed values in each bucket, and their sum. Metrics read it on each scrape.
 */
export class BucketCounts {
  /** Inclusive upper bounds of the buckets, ascending; larger values go to an overflow bucket. */
  readonly bounds: readonly number[];
  /** One count for each bucket and one for the overflow; not cumulative. */
  readonly #counts: Float64Array;
  readonly #sum = new Float64Array(1);

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { bounds } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket += 1;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#sum[0] = (this.#sum[0] as number) + value;
  }

  get counts(): ArrayLike<number> {
    return this.#counts;
  }

  get sum(): number {
    return this.#sum[0] as number;
  }
}
