import type { BucketCounts } from '@leque/core';
import { Counter, Gauge, type Metric, type Registry } from 'prom-client';

export type Labels = Readonly<Record<string, string>>;
/** A number for each combination of labels. */
export type Labelled = Iterable<readonly [labels: Labels, value: number]>;

/** A number that is kept elsewhere and read at each scrape. */
export interface Reading {
  /** Counter for a number that only grows while the process lives, otherwise Gauge. */
  readonly kind: typeof Counter | typeof Gauge;
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  readonly read: () => number | Labelled;
}

export function addReadings(registry: Registry, readings: readonly Reading[]): void {
  for (const { kind, name, help, labelNames = [], read } of readings) {
    const options = { name, help, labelNames, registers: [registry] };
    if (kind === Gauge) {
      new Gauge({
        ...options,
        collect() {
          for (const [labels, value] of labelled(read())) this.set(labels, value);
        },
      });
    } else {
      new Counter({
        ...options,
        collect() {
          this.reset();
          for (const [labels, value] of labelled(read())) this.inc(labels, value);
        },
      });
    }
  }
}

function labelled(read: number | Labelled): Labelled {
  return typeof read === 'number' ? [[{}, read]] : read;
}

/** A histogram that is counted elsewhere, see `BucketCounts`. */
export interface HistogramReading {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  readonly read: () => BucketCounts | Iterable<readonly [labels: Labels, counts: BucketCounts]>;
}

export function addHistograms(registry: Registry, readings: readonly HistogramReading[]): void {
  for (const { name, help, labelNames = [], read } of readings) {
    const type = 'histogram';
    const get = async () => {
      const found = read();
      const each = 'bounds' in found ? [[{}, found] as const] : found;
      const values = [...each].flatMap(([labels, counts]) => samplesOf(name, labels, counts));
      return { name, help, type, values, aggregator: 'sum' };
    };
    // The registry needs only these members; the library's own class would count by itself.
    registry.registerMetric({ name, help, type, labelNames, get } as unknown as Metric);
  }
}

/** Prometheus buckets are cumulative: each contains the ones below it. */
function samplesOf(name: string, labels: Labels, { bounds, counts, sum }: BucketCounts) {
  let total = 0;
  const buckets = Array.from(counts, (count, index) => {
    total += count;
    const le = bounds[index] ?? '+Inf';
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: total };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: total },
  ];
}
