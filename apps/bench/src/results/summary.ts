import { type Figures, medians, spreads } from './figures.ts';
import { type Histogram, mergeHistograms } from './histogram.ts';
import type { Measurement, ServerFacts } from './measurement.ts';
import type { CaseResult, RunResult } from './results.ts';
import { verdictOfRuns } from './verdict.ts';

/** Which case a measurement belongs to. */
export interface CaseOrigin {
  readonly target: string;
  readonly setup: string;
  readonly connections: number;
  /** Counted from 1. */
  readonly repetition: number;
}

interface OpenCase {
  readonly head: Pick<
    CaseResult,
    'target' | 'setup' | 'step' | 'part' | 'connections' | 'offeredPerSecond'
  >;
  readonly runs: RunResult[];
  readonly histograms: Histogram[];
  server: ServerFacts;
}

/** Collects the runs of a workload and summarizes them by case. */
export class Cases {
  readonly #cases = new Map<string, OpenCase>();

  add({ repetition, ...origin }: CaseOrigin, measurement: Measurement): void {
    const { step, part, offeredPerSecond, verdict, reason, figures, counts } = measurement;
    const key = [origin.target, origin.setup, step, part].join('\0');
    const head = { ...origin, step, part, offeredPerSecond };
    const { server, histogram } = measurement;
    const open = this.#cases.get(key) ?? { head, runs: [], histograms: [], server };
    this.#cases.set(key, open);
    open.runs.push({ repetition, verdict, reason, figures, counts });
    open.histograms.push(histogram);
    if (server.flags !== '') open.server = server;
  }

  results(): CaseResult[] {
    return [...this.#cases.values()].map(sumUp);
  }
}

function sumUp({ head, runs, histograms, server }: OpenCase): CaseResult {
  const outcome = verdictOfRuns(runs);
  const right = outcome.verdict === 'held' || outcome.verdict === 'behind';
  const figures: Figures[] = right ? runs.map((run) => run.figures) : [];
  return {
    ...head,
    ...outcome,
    median: medians(figures),
    spread: spreads(figures),
    histogram: right ? mergeHistograms(histograms) : [],
    runs,
    ...server,
  };
}
