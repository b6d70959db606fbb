import { setTimeout as delay } from 'node:timers/promises';
import { COLLECTING_SERVER, collectGarbage, steadyResidentKb } from '@leque/lab';
import { known } from '../results/figures.ts';
import type { Measurement } from '../results/measurement.ts';
import { median } from '../results/statistics.ts';
import { NO_FAULTS, verdictOf } from '../results/verdict.ts';
import type { RunningTarget, Target } from '../targets/target.ts';
import type { IdleSetup } from '../workloads/setups.ts';
import { CpuMeter } from './cpu-meter.ts';
import { within } from './deadline.ts';
import { buildRig, connectAll, factsOf } from './rig.ts';
import type { RunContext } from './run-context.ts';

const HOLD_MARGIN_SECONDS = 30;
/** Time for a garbage collection to start after its signal. */
const COLLECTING_MS = 1000;

const SCRAPES = 5;
const SCRAPE_SECONDS = 10;

/** Measures the memory and CPU of idle connections. */
export async function* measureIdle(
  target: Target,
  setup: IdleSetup,
  context: RunContext,
): AsyncGenerator<Measurement> {
  const { seconds, signal } = context;
  await using rig = await buildRig(target, setup, { ...context, settings: COLLECTING_SERVER });
  const { server, redis } = rig;
  const empty = await collectedKb(server.pids, signal);
  await using generator = await connectAll(rig, setup, context);
  const uncollected = await steadyResidentKb(server.pids, signal);
  const full = await collectedKb(server.pids, signal);
  const meter = new CpuMeter({ server: server.pids, redis: redis.pids });
  meter.start();
  const startedAt = performance.now();
  const { closed, frames } = await within(generator.hold(seconds), {
    what: 'holding connections',
    seconds: seconds + HOLD_MARGIN_SECONDS,
    signal,
  });
  meter.stop();
  const held = (performance.now() - startedAt) / 1000;
  const scrapeMs = await scrapeTime(server, signal);
  const { serverCores, ...cpu } = meter.figures(held, 0, 'Delivery');
  yield {
    step: 'idle',
    part: '',
    offeredPerSecond: 0,
    ...verdictOf({ ...NO_FAULTS, closed }),
    figures: {
      ...cpu,
      ...known([
        ['kbPerConnection', perConnection(full, empty, setup)],
        ['kbPerConnectionUncollected', perConnection(uncollected, empty, setup)],
        ['idleCpuPercent', serverCores === undefined ? undefined : serverCores * 100],
        ['scrapeMs', scrapeMs],
        ['emptyRssMb', empty === undefined ? undefined : empty / 1024],
        ['rssMb', full === undefined ? undefined : full / 1024],
      ]),
    },
    histogram: [],
    counts: { closed, frames },
    server: factsOf(rig),
  };
}

async function collectedKb(
  pids: readonly number[],
  signal: AbortSignal,
): Promise<number | undefined> {
  collectGarbage(pids);
  await delay(COLLECTING_MS, undefined, { signal });
  return steadyResidentKb(pids, signal);
}

function perConnection(
  full: number | undefined,
  empty: number | undefined,
  { connections }: IdleSetup,
): number | undefined {
  return full === undefined || empty === undefined ? undefined : (full - empty) / connections;
}

/** Median time to read the metrics, in milliseconds; undefined for a server without metrics. */
async function scrapeTime(
  { metrics }: RunningTarget,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (metrics === undefined) return undefined;
  const times: number[] = [];
  for (let scrape = 0; scrape < SCRAPES; scrape += 1) {
    const startedAt = performance.now();
    await within(metrics(), { what: 'reading metrics', seconds: SCRAPE_SECONDS, signal });
    times.push(performance.now() - startedAt);
  }
  return median(times);
}
