import { type Candidate, candidateOf, measure } from '../measuring/repetition.ts';
import { COLUMNS, JOINING, RESUMING } from '../results/columns.ts';
import type { Measurement } from '../results/measurement.ts';
import {
  type CaseResult,
  type Results,
  SCHEMA_VERSION,
  type WorkloadResult,
} from '../results/results.ts';
import { Cases } from '../results/summary.ts';
import type { Workload } from '../workloads/workloads.ts';
import { describeEnvironment } from './environment.ts';
import type { BenchOptions } from './options.ts';
import { Table } from './table.ts';

/** Warm-up before each measured part, for JIT compilers and buffers. */
const WARMUP_SECONDS = 3;
/** The most that the warm-up may take, as a share of the measured part. */
const WARMUP_SHARE = 0.5;

export interface BenchContext {
  /** Aborts the benchmark; earlier measurements stay in the results. */
  readonly signal: AbortSignal;
  /** Prints a line of the table. */
  readonly print: (line: string) => void;
  /** The options of the command, for the report. */
  readonly command: string;
}

/** Measures every workload; a failing target is a result, not a rejection. */
export async function runBench(options: BenchOptions, context: BenchContext): Promise<Results> {
  const startedAt = new Date().toISOString();
  const workloads: WorkloadResult[] = [];
  for (const workload of options.workloads) {
    if (context.signal.aborted) break;
    workloads.push(await runWorkload(workload, options, context));
  }
  return {
    schema: SCHEMA_VERSION,
    startedAt,
    finishedAt: new Date().toISOString(),
    interrupted: context.signal.aborted,
    command: context.command,
    environment: describeEnvironment(),
    repeat: options.repeat,
    workloads,
  };
}

async function runWorkload(
  workload: Workload,
  options: BenchOptions,
  context: BenchContext,
): Promise<WorkloadResult> {
  const { id, title, about } = workload;
  const kind = workload.setups[0]?.kind ?? 'fan-out';
  const fanOuts = workload.setups.filter((setup) => setup.kind === 'fan-out');
  const joining = fanOuts.some(({ storm }) => storm) ? JOINING : [];
  const resuming = fanOuts.some(({ resumes }) => resumes) ? RESUMING : [];
  const table = new Table([...COLUMNS[kind], ...joining, ...resuming]);
  context.print(`\n${id}  ${title}\n${table.header()}`);
  const cases = new Cases();
  const show = (run: string, row: Omit<Parameters<Table['row']>[0], 'run'>) =>
    context.print(table.row({ run, ...row }));
  try {
    for await (const { candidate, repetition, measurement } of repetitions(
      workload,
      options,
      context,
    )) {
      const { target, setup } = candidate;
      const origin = { target: target.name, setup: setup.label, connections: setup.connections };
      cases.add({ ...origin, repetition }, measurement);
      show(`${repetition}/${options.repeat}`, { ...origin, ...measurement });
    }
  } catch (error) {
    if (!context.signal.aborted) throw error;
  }
  const results = cases.results();
  if (options.repeat > 1) for (const each of results) show('median', rowOf(each));
  return { id, title, about, cases: results };
}

interface Measured {
  readonly candidate: Candidate;
  readonly repetition: number;
  readonly measurement: Measurement;
}

/** Interleaves the targets (A B C, A B C, …), so that drift of the machine affects all of them. */
async function* repetitions(
  workload: Workload,
  { targets, repeat, dutyCycle, seconds = workload.seconds }: BenchOptions,
  { signal }: BenchContext,
): AsyncGenerator<Measured> {
  const warmupSeconds = Math.min(WARMUP_SECONDS, seconds * WARMUP_SHARE);
  const run = { seconds, warmupSeconds, dutyCycle, signal };
  const candidates = await candidatesOf(workload, targets);
  for (let repetition = 1; repetition <= repeat; repetition += 1) {
    for (const candidate of candidates) {
      if (candidate.unavailable !== undefined && repetition > 1) continue;
      for await (const measurement of measure(candidate, run)) {
        yield { candidate, repetition, measurement };
      }
      signal.throwIfAborted();
    }
  }
}

async function candidatesOf(
  { setups }: Workload,
  targets: BenchOptions['targets'],
): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  for (const setup of setups) {
    for (const target of targets) {
      const candidate = await candidateOf(target, setup);
      if (candidate !== undefined) candidates.push(candidate);
    }
  }
  return candidates;
}

function rowOf({ median, ...rest }: CaseResult) {
  return { ...rest, figures: median };
}
