/** Counts of latencies as `[upper bound in µs, count]`, the bounds ascending. */
export type Histogram = readonly (readonly [bound: number, count: number])[];

/** Adds histograms up; percentiles of the sum are those of all latencies together. */
export function mergeHistograms(histograms: readonly Histogram[]): Histogram {
  const counts = new Map<number, number>();
  for (const [bound, count] of histograms.flat()) {
    counts.set(bound, (counts.get(bound) ?? 0) + count);
  }
  return [...counts].sort(([a], [b]) => a - b);
}

export function countOf(histogram: Histogram): number {
  return histogram.reduce((sum, [, count]) => sum + count, 0);
}

/**
 * The bound that `share` (0 to 1) of the latencies do not exceed, in µs.
 * @returns undefined when there are none
 */
export function percentile(histogram: Histogram, share: number): number | undefined {
  const rank = Math.max(1, Math.ceil(countOf(histogram) * share));
  let seen = 0;
  for (const [bound, count] of histogram) {
    seen += count;
    if (seen >= rank) return bound;
  }
  return undefined;
}
