/** The smallest and the largest of several values. */
export type Spread = readonly [smallest: number, largest: number];

/** For an even number of values the mean of the middle two; undefined for no values. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)];
  const lower = sorted[Math.ceil(middle) - 1];
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
}

export function spread(values: readonly number[]): Spread | undefined {
  return values.length === 0 ? undefined : [Math.min(...values), Math.max(...values)];
}
