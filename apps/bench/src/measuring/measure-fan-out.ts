import { setTimeout as delay } from 'node:timers/promises';
import { PeakMemory } from '@leque/lab';
import type { Generator, Ready, RunResult } from '../load/generator.ts';
import { type Figures, known, latencyFigures } from '../results/figures.ts';
import { mergeHistograms } from '../results/histogram.ts';
import type { Measurement } from '../results/measurement.ts';
import { missingOf, verdictOf } from '../results/verdict.ts';
import type { RunningTarget, Target } from '../targets/target.ts';
import { type FanOutSetup, offeredDeliveries, type Part, type Step } from '../workloads/setups.ts';
import { CpuMeter } from './cpu-meter.ts';
import { acquiredWithin, within } from './deadline.ts';
import { type ResumeFaults, Resumes } from './resumes.ts';
import { buildRig, connectAll, connectStorm, factsOf, type Rig } from './rig.ts';
import type { RunContext } from './run-context.ts';

/** Time for servers to finish their work for new connections. */
const AFTER_CONNECTING_MS = 1000;
/** Allowance for the last deliveries and the end of the generator. */
const SETTLE_SECONDS = 120;
/**
 * Deliveries that took longer than this to settle were still arriving: the generator waits 15 s
 * in all, and at most 5 s for the next delivery.
 */
const STILL_COMING_MS = 10_000;
const EVENT_LOOP_P99 = 'nodejs_eventloop_lag_p99_seconds';

/** Publishes to established connections, at each of the rates. */
export async function* measureFanOut(
  target: Target,
  setup: FanOutSetup,
  context: RunContext,
): AsyncGenerator<Measurement> {
  const settings = settingsFor(setup);
  await using rig = await buildRig(target, setup, { ...context, settings });
  await using generator = await connectAll(rig, setup, context);
  await delay(AFTER_CONNECTING_MS, undefined, { signal: context.signal });
  await using resumes = await prepareResumes(rig, setup, context);
  for (const step of setup.steps) {
    const run = await runStep({ rig, generator, step, setup, resumes }, context);
    for (const index of setup.parts.keys()) yield toMeasurement(run, index);
  }
}

interface Running {
  readonly rig: Rig;
  readonly generator: Generator;
  readonly step: Step;
  readonly setup: FanOutSetup;
  readonly resumes: Resumes | undefined;
}

type Resumed = Awaited<ReturnType<Resumes['stop']>>;

const NO_FAULTS: ResumeFaults = { lost: 0, duplicates: 0, reordered: 0, closed: 0 };
const NOT_RESUMED: Resumed = { figures: {}, faults: NO_FAULTS };

interface Run extends Running {
  readonly result: RunResult;
  /** How the clients of a join storm connected. */
  readonly storm: Ready | undefined;
  /** How clients resumed meanwhile. */
  readonly resumed: Resumed;
  readonly meter: CpuMeter;
  readonly peakKb: number | undefined;
  /** Growth of the server's counters over the run. */
  readonly counters: Readonly<Record<string, number>>;
  readonly eventLoopP99Ms: number | undefined;
}

async function runStep(running: Running, context: RunContext): Promise<Run> {
  const { server, redis } = running.rig;
  const { seconds, warmupSeconds, signal } = context;
  const meter = new CpuMeter({ server: server.pids, redis: redis.pids });
  using memory = new PeakMemory(server.pids);
  let before: Promise<Metrics> = Promise.resolve({});
  let after: Promise<Metrics> = Promise.resolve({});
  let storm: Promise<Generator | undefined> = Promise.resolve(undefined);
  const result = await within(
    running.generator.run(
      { seconds, warmupSeconds, rates: running.step.rates },
      () => {
        meter.start();
        running.resumes?.start();
        before = metricsOf(server);
        storm = startStorm(running, context);
        storm.catch(() => {}); // awaited below, unless the run fails
      },
      () => {
        meter.stop();
        after = metricsOf(server);
      },
    ),
    { what: 'a run', seconds: seconds + warmupSeconds + SETTLE_SECONDS, signal },
  );
  await using joined = await storm;
  const stopping = running.resumes?.stop() ?? Promise.resolve(NOT_RESUMED);
  const resumed = await within(stopping, { what: 'a resume', seconds: SETTLE_SECONDS, signal });
  const lag = (await after)[EVENT_LOOP_P99];
  return {
    ...running,
    result,
    storm: joined?.ready,
    resumed,
    meter,
    peakKb: memory.kb,
    counters: differences(await before, await after),
    eventLoopP99Ms: lag === undefined ? undefined : lag * 1000,
  };
}

/** A history as long as what is resumed. */
function settingsFor({ resumes }: FanOutSetup): Record<string, string> {
  if (resumes === undefined) return {};
  return { HISTORY_PROJECT_SIZE: String(resumes.events), HISTORY_PROJECT_TTL: '3600' };
}

async function prepareResumes(
  { server }: Rig,
  { resumes, channels }: FanOutSetup,
  { signal }: RunContext,
): Promise<Resumes | undefined> {
  if (resumes === undefined) return undefined;
  const preparing = Resumes.prepare({ ...resumes, server, channel: channels - 1 });
  const wait = { what: 'filling a history', seconds: SETTLE_SECONDS, signal };
  return await acquiredWithin(preparing, wait);
}

async function startStorm(
  { rig, setup }: Running,
  context: RunContext,
): Promise<Generator | undefined> {
  if (setup.storm === undefined) return undefined;
  return await connectStorm(rig, { connections: setup.storm, setup }, context);
}

type Metrics = Readonly<Record<string, number>>;

/** Empty when the server has no metrics, or is too busy to answer. */
async function metricsOf(server: RunningTarget): Promise<Metrics> {
  try {
    return (await server.metrics?.()) ?? {};
  } catch {
    return {};
  }
}

/** Growth of the counters, whose names end in `_total` by Prometheus convention. */
function differences(before: Metrics, after: Metrics): Metrics {
  const counters = Object.entries(after).filter(([name]) => name.endsWith('_total'));
  return Object.fromEntries(counters.map(([name, value]) => [name, value - (before[name] ?? 0)]));
}

function toMeasurement(run: Run, index: number): Measurement {
  const { result, setup, step, rig, resumed } = run;
  const { faults } = resumed;
  const part = setup.parts[index] as Part;
  const offered = setup.parts.map((each, at) =>
    offeredDeliveries(setup, each, step.rates[at] ?? 0),
  );
  const total = offered.reduce((sum, rate) => sum + rate, 0);
  const isAnswered = rig.server.publishing.ack !== undefined;
  const missing = isAnswered ? missingOf(result) : { lost: result.lost, unanswered: 0 };
  return {
    step: step.label,
    part: part.label,
    offeredPerSecond: offered[index] ?? 0,
    ...verdictOf({
      ...missing,
      notResumed: faults.lost,
      stillComing: result.settleMs > STILL_COMING_MS,
      duplicates: result.duplicates + faults.duplicates,
      reordered: result.reordered + faults.reordered,
      publishErrors: result.publishErrors,
      closed: result.closed + faults.closed,
      strays: result.strays,
      share: result.deliveredMeasured / result.seconds / total,
    }),
    figures: {
      ...latencyFigures(histogramOf(result, index)),
      ...(index === 0 ? figuresOfAll(run, total) : {}),
    },
    histogram: histogramOf(result, index),
    counts: countsOf(run),
    server: factsOf(rig),
  };
}

/** Figures that are not measured separately for each channel. */
function figuresOfAll(
  { result, meter, peakKb, eventLoopP99Ms, setup, storm, resumed }: Run,
  total: number,
): Figures {
  const { seconds, deliveredMeasured: delivered } = result;
  return {
    ...meter.figures(seconds, delivered, 'Delivery'),
    ...resumed.figures,
    ...known([
      ['deliveriesPerSecond', delivered / seconds],
      ['deliveredShare', (delivered / seconds / total) * 100],
      ['peakRssMb', peakKb === undefined ? undefined : peakKb / 1024],
      ['eventLoopP99Ms', eventLoopP99Ms],
      ['publishLateMs', result.publishLateUsMax / 1000],
      ['joinSeconds', storm?.seconds],
      ['joinsRefused', storm?.refused],
      ['stalledClosed', setup.stalled > 0 ? result.stalledClosed : undefined],
    ]),
  };
}

function histogramOf(result: RunResult, index: number) {
  return mergeHistograms(
    result.classes.filter((each) => each.class === index).map(({ histogram }) => histogram),
  );
}

function countsOf({ result, counters }: Run) {
  const { seconds, classes, deliveredMeasured, publishLateUsMax, ...counts } = result;
  return { ...counts, ...counters };
}
