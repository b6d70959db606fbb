export interface Quantiles {
  readonly events: number;
  readonly p50: number;
  readonly p99: number;
}

export function quantilesOf(times: readonly number[]): Quantiles {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
  return { events: sorted.length, p50: at(0.5), p99: at(0.99) };
}
