import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from './client.ts';
import { nowUs } from './clock.ts';
import type { Crowd } from './crowd.ts';
import { PacedPublisher } from './paced-publisher.ts';
import type { LoadSpec } from './read-spec.ts';
import { Tally } from './tally.ts';

const LEAD_US = 50_000;
const GLANCE_MS = 5;
const GRACE_MS = 100;
const SILENCE_US = 5_000_000;
const SETTLING_DEADLINE_US = 15_000_000;
const STALLED_SILENCE_MS = 500;
const STALLED_DEADLINE_US = 10_000_000;

export type Print = (event: Record<string, unknown>) => void;

export interface RunOptions {
  readonly spec: LoadSpec;
  readonly crowd: Crowd;
  /** Per channel: number of the last publication; counts on over the runs. */
  readonly numbers: number[];
  readonly print: Print;
}

interface Running extends RunOptions {
  readonly tally: Tally;
  readonly publisher: PacedPublisher;
  readonly readers: readonly Client[];
  readonly bytesBefore: number;
}

/** `run SECONDS WARMUP RATE[,RATE…]` */
export async function run(options: RunOptions, [seconds, warmup, rates]: string[]): Promise<void> {
  const startUs = nowUs() + LEAD_US;
  const fromUs = startUs + Number(warmup) * 1e6;
  const untilUs = fromUs + Number(seconds) * 1e6;
  const schedule = { rates: (rates ?? '').split(',').map(Number), startUs, stopUs: untilUs };
  const running = begin(
    options,
    new Tally(options.spec, [...options.numbers], [fromUs, untilUs]),
    schedule,
  );
  const publishing = running.publisher.run();
  publishing.catch(() => {}); // heard below
  await measure(running, [fromUs, untilUs]);
  const settledUs = await settle(running, publishing);
  const outcome = compare(running);
  for (const client of running.readers) client.finish();
  const bytes = options.crowd.bytes - running.bytesBefore;
  await endStall(options.crowd);
  options.print({
    event: 'result',
    ...outcome,
    closed: options.crowd.closed,
    stalled_closed: options.crowd.stalledClosed,
    seconds: Number(seconds),
    settle_ms: settledUs / 1000,
    bytes,
    classes: classesOf(running),
  });
}

function begin(
  options: RunOptions,
  tally: Tally,
  schedule: ConstructorParameters<typeof PacedPublisher>[1],
): Running {
  const { spec, crowd, numbers } = options;
  const { readers } = crowd;
  for (const client of readers) client.begin(tally);
  for (const client of crowd.stalled) client.stall(true);
  const publisher = new PacedPublisher(spec, schedule, numbers);
  return { ...options, tally, publisher, readers, bytesBefore: crowd.bytes };
}

async function measure({ tally, print }: Running, [fromUs, untilUs]: [number, number]) {
  await delay((fromUs - nowUs()) / 1000);
  tally.phase = 'measuring';
  print({ event: 'started' });
  await delay((untilUs - nowUs()) / 1000);
  tally.phase = 'settling';
  print({ event: 'stopped' });
}

/** Resolves with how long it took until everything had arrived, or nothing more did: µs. */
async function settle(running: Running, publishing: Promise<void>): Promise<number> {
  const started = nowUs();
  await publishing;
  const expected = expectedOf(running);
  let lastChange = nowUs();
  let bytes = running.crowd.bytes;
  while (running.tally.delivered < expected) {
    await delay(GLANCE_MS);
    const now = nowUs();
    if (running.crowd.bytes !== bytes) lastChange = now;
    bytes = running.crowd.bytes;
    if (now - lastChange > SILENCE_US || now - started > SETTLING_DEADLINE_US) break;
  }
  await delay(GRACE_MS); // for duplicates
  return lastChange - started;
}

function expectedOf({ readers, publisher }: Running): number {
  return readers.reduce(
    (sum, { member }) =>
      member.channels.reduce((due, channel) => due + (publisher.published[channel] ?? 0), sum),
    0,
  );
}

function compare(running: Running): Record<string, number> {
  const { publisher, tally } = running;
  const expected = expectedOf(running);
  return {
    published: publisher.total,
    acked: publisher.acked,
    publish_errors: publisher.errors,
    publish_late_us_max: publisher.lateUsMax,
    expected,
    delivered: tally.delivered,
    delivered_measured: tally.deliveredMeasured,
    lost: expected - tally.delivered,
    duplicates: tally.duplicates,
    reordered: tally.reordered,
    strays: tally.strays,
  };
}

function classesOf({ tally, publisher }: Running) {
  return tally.classes.map(({ delivered, histogram }, index) => ({
    class: index,
    published: publisher.publishedByClass[index],
    delivered,
    histogram: histogram.entries(),
  }));
}

/** Only the end of what was sent to a stalled connection tells whether it was closed. */
async function endStall(crowd: Crowd): Promise<void> {
  if (crowd.stalled.length === 0) return;
  for (const client of crowd.stalled) client.stall(false);
  const deadline = nowUs() + STALLED_DEADLINE_US;
  let before = -1;
  while (crowd.bytes !== before && nowUs() < deadline) {
    before = crowd.bytes;
    await delay(STALLED_SILENCE_MS);
  }
}
