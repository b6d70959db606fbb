import type { Figures } from './figures.ts';
import type { Histogram } from './histogram.ts';
import type { Counts } from './results.ts';
import type { VerdictWithReason } from './verdict.ts';

/** The result of one run at one rate, for one group of channels. */
export interface Measurement extends VerdictWithReason {
  readonly step: string;
  /** Empty in workloads with one group of channels. */
  readonly part: string;
  /** Deliveries or events per second; 0 for no rate. */
  readonly offeredPerSecond: number;
  readonly figures: Figures;
  readonly histogram: Histogram;
  readonly counts: Counts;
  readonly server: ServerFacts;
}

export interface ServerFacts {
  readonly versions: Readonly<Record<string, string>>;
  readonly flags: string;
}
