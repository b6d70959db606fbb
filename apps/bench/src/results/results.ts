import type { Figures, Spreads } from './figures.ts';
import type { Histogram } from './histogram.ts';

/** Of `results.json`; grows by one when a reader of the earlier shape would misread the new one. */
export const SCHEMA_VERSION = 1;

/**
 * `held`: everything came, at the rate that was offered. `behind`: everything that came was right,
 * but slower than offered, so that latency grew as long as the run went on. `failed`: something
 * was lost, came twice or out of order, or the run broke off; then there are no figures.
 * `unavailable`: it did not run.
 */
export const VERDICTS = ['held', 'behind', 'failed', 'unavailable'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What `results.json` holds. */
export interface Results {
  readonly schema: typeof SCHEMA_VERSION;
  /** When it began and ended, RFC 3339. */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** True when it was broken off; what was measured until then is there. */
  readonly interrupted: boolean;
  /** What comes after `npm run bench --` to measure the same again. */
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
  /** Of this repository; empty when it is not known. */
  readonly commit: string;
  /** Files that one process may have open. */
  readonly openFiles: number;
}

export interface WorkloadResult {
  readonly id: string;
  readonly title: string;
  /** What is done, in a sentence or two. */
  readonly about: string;
  readonly cases: readonly CaseResult[];
}

/** One rate of one workload against one target, over all repetitions. */
export interface CaseResult {
  readonly target: string;
  /** How the clients are set up, e.g. `raw` or `Socket.IO`. */
  readonly setup: string;
  /** What was asked for, e.g. `1,000/s`. */
  readonly step: string;
  /** Which channels, where a workload tells some apart; else empty. */
  readonly part: string;
  readonly connections: number;
  /** Deliveries (or, of the publish API, events) per second that were asked for; 0 for no rate. */
  readonly offeredPerSecond: number;
  readonly verdict: Verdict;
  /** Why it is not `held`; else empty. */
  readonly reason: string;
  /** Medians over the runs; empty when one of them failed. */
  readonly median: Figures;
  readonly spread: Spreads;
  /** Latencies of all runs together, µs; empty when one of them failed. */
  readonly histogram: Histogram;
  readonly runs: readonly RunResult[];
  readonly versions: Readonly<Record<string, string>>;
  readonly flags: string;
}

export interface RunResult {
  /** From 1. */
  readonly repetition: number;
  readonly verdict: Verdict;
  readonly reason: string;
  /** Also of a failed run: only for who looks for the failure. */
  readonly figures: Figures;
  readonly counts: Counts;
}

/** Over the whole run, warm-up included. */
export type Counts = Readonly<Record<string, number>>;
