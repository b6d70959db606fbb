import type { Figures, Spreads } from './figures.ts';
import type { Histogram } from './histogram.ts';

/** Version of the shape of `results.json`; incremented by changes that break its readers. */
export const SCHEMA_VERSION = 1;

/**
 * `held`: everything arrived at the offered rate. `behind`: everything that arrived was right, but
 * slower than offered, so that latency grew during the run. `failed`: something was lost,
 * duplicated or reordered, or the run ended early; it has no figures. `unavailable`: it did not run.
 */
export const VERDICTS = ['held', 'behind', 'failed', 'unavailable'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** The content of `results.json`. */
export interface Results {
  readonly schema: typeof SCHEMA_VERSION;
  /** Start and end of the benchmark, RFC 3339. */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** True when the benchmark was interrupted; earlier results are included. */
  readonly interrupted: boolean;
  /** The options that repeat this benchmark, to follow `npm run bench --`. */
  readonly command: string;
  readonly environment: Environment;
  /** Repetitions of each case. */
  readonly repeat: number;
  readonly workloads: readonly WorkloadResult[];
}

export interface Environment {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMb: number;
  readonly kernel: string;
  readonly node: string;
  readonly redis: string;
  /** Commit of this repository; empty when unknown. */
  readonly commit: string;
  /** Limit of open files for each process. */
  readonly openFiles: number;
}

export interface WorkloadResult {
  readonly id: string;
  readonly title: string;
  /** A description in a sentence or two. */
  readonly about: string;
  readonly cases: readonly CaseResult[];
}

/** One rate of one workload against one target, over all repetitions. */
export interface CaseResult {
  readonly target: string;
  /** How the clients are set up, e.g. `raw` or `Socket.IO`. */
  readonly setup: string;
  /** The offered rate, e.g. `1,000/s`. */
  readonly step: string;
  /** The group of channels, in workloads that have several; else empty. */
  readonly part: string;
  readonly connections: number;
  /** Offered deliveries (for the publish API: events) per second; 0 for no rate. */
  readonly offeredPerSecond: number;
  readonly verdict: Verdict;
  /** Why the verdict is not `held`; else empty. */
  readonly reason: string;
  /** Medians over the runs; empty when a run failed. */
  readonly median: Figures;
  readonly spread: Spreads;
  /** Latencies of all runs together, in µs; empty when a run failed. */
  readonly histogram: Histogram;
  readonly runs: readonly RunResult[];
  readonly versions: Readonly<Record<string, string>>;
  readonly flags: string;
}

export interface RunResult {
  /** Counted from 1. */
  readonly repetition: number;
  readonly verdict: Verdict;
  readonly reason: string;
  /** Also present for a failed run, to help find the failure. */
  readonly figures: Figures;
  readonly counts: Counts;
}

/** Counts over the whole run, including the warm-up. */
export type Counts = Readonly<Record<string, number>>;
