import type { Figures } from './figures.ts';
import type { Histogram } from './histogram.ts';
import type { Counts } from './results.ts';
import type { VerdictWithReason } from './verdict.ts';

/** What one run at one rate has shown about some channels. */
export interface Measurement extends VerdictWithReason {
  readonly step: string;
  /** Empty where a workload does not tell channels apart. */
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
