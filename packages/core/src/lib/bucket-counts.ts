/**
 * A histogram as plain numbers, for places that are passed too often for a metrics library: how many
 * of the observed values lie in each bucket, and their sum. Read when somebody scrapes.
 */
export class BucketCounts {
  /** Upper ends of the buckets, which belong to them, rising; what is more lies in one beyond. */
  readonly bounds: readonly number[];
  /** One for each bucket, and one for what is beyond; not cumulative. */
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
