import { BucketCounts } from '@leque/core';

const ROUND_TRIP_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** Counts the probes of this process since its start. */
export class ProbeCounts {
  readonly seconds = new BucketCounts(ROUND_TRIP_S);
  missed = 0;
}
