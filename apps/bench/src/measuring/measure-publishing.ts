import { residentKb } from '@leque/lab';
import { freePorts } from '@leque/testkit';
import { type HttpLoadResult, runHttpLoad } from '../load/http-load.ts';
import { known, latencyFigures } from '../results/figures.ts';
import type { Measurement } from '../results/measurement.ts';
import { NO_FAULTS, type VerdictWithReason, verdictOf } from '../results/verdict.ts';
import { authorizationOf, publishRequests, STORED_TEXT } from '../targets/leque-publisher.ts';
import type { PublisherOptions, RunningPublisher } from '../targets/target.ts';
import { projectId } from '../workloads/event.ts';
import type { PublishSetup } from '../workloads/setups.ts';
import { CpuMeter } from './cpu-meter.ts';
import { within } from './deadline.ts';
import { ManyPublisher } from './many-publisher.ts';
import { type OwnRedis, startOwnRedis } from './own-redis.ts';
import type { RunContext } from './run-context.ts';

const CHANNELS = 100;
/** The load generator has shorter deadlines, whose errors say more. */
const SLACK_SECONDS = 70;

/** Publishes through the API, at each of the rates. */
export async function* measurePublishing(
  start: (options: PublisherOptions) => Promise<RunningPublisher>,
  setup: PublishSetup,
  context: RunContext,
): AsyncGenerator<Measurement> {
  await using redis = await startOwnRedis();
  const port = await freePorts(1);
  await using publisher = await start({ redis, port });
  const meter = new CpuMeter({ server: [publisher.pid], redis: redis.pids });
  const authorization = await authorizationOf(setup.credential);
  const requests = publishRequests({ ...setup, channels: CHANNELS, authorization });
  let before = 0;
  for (const { label, rate } of setup.steps) {
    const many = setup.beside && ManyPublisher.start({ form: setup.beside, port, authorization });
    const result = await runLoad({ setup, rate, port, requests, meter }, context);
    const manyMs = await many?.stop();
    const stored = await storedEvents(redis);
    // Nothing of a live-only event may be stored; that each arrived, other tests show.
    const found = stored - before + (setup.live ? result.stored : 0);
    const offered = rate * setup.batch;
    yield {
      step: label,
      part: '',
      offeredPerSecond: offered,
      ...verdictOfLoad(result, found, { batch: setup.batch, offered }),
      figures: {
        ...figuresOf(result, meter),
        ...known([
          ['rssMb', megabytes(residentKb([publisher.pid]))],
          ['manyMs', manyMs],
        ]),
      },
      histogram: result.histogram,
      counts: countsOf(result, stored - before),
      server: {
        versions: { ...publisher.versions, redis: redis.version },
        flags: publisher.flags,
      },
    };
    before = stored;
  }
}

interface Load {
  readonly setup: PublishSetup;
  readonly rate: number;
  readonly port: number;
  readonly requests: readonly Buffer[];
  readonly meter: CpuMeter;
}

function runLoad(
  { setup, rate, port, requests, meter }: Load,
  { seconds, warmupSeconds, signal }: RunContext,
): Promise<HttpLoadResult> {
  const address = `127.0.0.1:${port}`;
  const { connections } = setup;
  const storedText = STORED_TEXT;
  const load = { address, connections, rate, seconds, warmupSeconds, requests, storedText };
  const marks = { onStarted: () => meter.start(), onStopped: () => meter.stop() };
  const most = seconds + warmupSeconds + SLACK_SECONDS;
  return within(runHttpLoad(load, marks), { what: 'a run', seconds: most, signal });
}

/** Events stored in Redis: every publication increments its channel's offset by one. */
async function storedEvents({ probe }: OwnRedis): Promise<number> {
  let sum = 0;
  for (let channel = 0; channel < CHANNELS; channel += 1) {
    const key = `leque:{project:${projectId(channel)}}:meta`;
    sum += Number((await probe.ask('HGET', key, 'offset')) ?? 0);
  }
  return sum;
}

interface Offer {
  readonly batch: number;
  /** Events per second; 0 for no rate. */
  readonly offered: number;
}

/** An event is lost when the publisher acknowledged it and Redis does not have it. */
function verdictOfLoad(
  result: HttpLoadResult,
  inRedis: number,
  { batch, offered }: Offer,
): VerdictWithReason {
  if (result.unanswered > 0) return { verdict: 'failed', reason: 'requests were not answered' };
  const perSecond = result.measuredStored / result.seconds;
  const outcome = verdictOf({
    ...NO_FAULTS,
    lost: Math.max(0, result.stored - inRedis),
    // An event whose request failed may be stored nevertheless.
    duplicates: Math.max(0, inRedis - result.stored - result.failed * batch),
    publishErrors: result.failed,
    share: offered === 0 ? 1 : perSecond / offered,
  });
  if (result.failed === 0) return outcome;
  return { ...outcome, reason: `${outcome.reason}: ${result.failure}` };
}

function figuresOf(result: HttpLoadResult, meter: CpuMeter) {
  const { seconds, measuredStored: stored, measuredRequests: requests } = result;
  return {
    eventsPerSecond: stored / seconds,
    requestsPerSecond: requests / seconds,
    ...latencyFigures(result.histogram),
    ...meter.figures(seconds, stored, 'Event'),
    publishLateMs: result.lateUsMax / 1000,
  };
}

function countsOf(result: HttpLoadResult, inRedis: number) {
  const { requests, stored, failed, unanswered } = result;
  return { requests, stored, failed, unanswered, inRedis };
}

function megabytes(kb: number | undefined): number | undefined {
  return kb === undefined ? undefined : kb / 1024;
}
