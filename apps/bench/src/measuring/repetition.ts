import { openFileLimit } from '@leque/lab';
import type { Measurement, ServerFacts } from '../results/measurement.ts';
import type { Target } from '../targets/target.ts';
import type { Setup } from '../workloads/setups.ts';
import { formatsOf } from './connections.ts';
import { measureFanOut } from './measure-fan-out.ts';
import { measureIdle } from './measure-idle.ts';
import { measurePublishing } from './measure-publishing.ts';
import type { RunContext } from './run-context.ts';

/** Files that a server has open besides its connections, at most. */
const OTHER_FILES = 200;
const MAX_REASON = 240;
/** Of what was offered: who delivers less does not deliver more at a higher rate. */
const MIN_DELIVERED_PERCENT = 80;
const NO_SERVER: ServerFacts = { versions: {}, flags: '' };

/** A target in one setup of a workload. */
export interface Candidate {
  readonly target: Target;
  readonly setup: Setup;
  /** Why it cannot run; undefined when it can. */
  readonly unavailable: string | undefined;
}

/**
 * One repetition: each rate in turn, until one is too much. What follows would only tell that a
 * higher rate is too much as well, and take its time for it.
 */
export async function* measure(
  { target, setup, unavailable }: Candidate,
  context: RunContext,
): AsyncGenerator<Measurement> {
  if (unavailable !== undefined) {
    yield notRun({ step: '', part: '' }, unavailable);
    return;
  }
  const remaining = expectedOf(setup);
  try {
    yield* untilOverload(start(target, setup, context), remaining);
  } catch (error) {
    context.signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    const failed = remaining.shift();
    if (failed !== undefined) yield { ...notRun(failed, reason), verdict: 'failed' };
  }
  for (const skipped of remaining) {
    yield notRun(skipped, 'not tried, as the one before it was too much');
  }
}

/** Takes what was measured off `remaining`; stops after a rate that was too much. */
async function* untilOverload(
  measurements: AsyncGenerator<Measurement>,
  remaining: Expected[],
): AsyncGenerator<Measurement> {
  let overloaded = false;
  for await (const measurement of measurements) {
    remaining.shift();
    yield measurement;
    overloaded ||= isOverload(measurement);
    if (overloaded && remaining[0]?.step !== measurement.step) return;
  }
}

/** A little behind, once, may have been the machine. */
function isOverload({ verdict, figures }: Measurement): boolean {
  if (verdict !== 'behind') return verdict !== 'held';
  return (figures.deliveredShare ?? 0) < MIN_DELIVERED_PERCENT;
}

/** Why a target cannot run in a setup at all; undefined when it takes no part in that. */
export async function candidateOf(target: Target, setup: Setup): Promise<Candidate | undefined> {
  if (setup.kind === 'publish') {
    if (target.startPublisher === undefined) return undefined;
    return { target, setup, unavailable: await target.unavailable() };
  }
  if (formatsOf(target, setup.mix) === undefined) return undefined;
  return {
    target,
    setup,
    unavailable: tooFewFiles(setup.connections) ?? (await target.unavailable()),
  };
}

function start(target: Target, setup: Setup, context: RunContext): AsyncGenerator<Measurement> {
  switch (setup.kind) {
    case 'fan-out':
      return measureFanOut(target, setup, context);
    case 'idle':
      return measureIdle(target, setup, context);
    case 'publish':
      return measurePublishing(publisherOf(target), setup, context);
  }
}

function publisherOf({ name, startPublisher }: Target): NonNullable<Target['startPublisher']> {
  if (startPublisher === undefined) throw new Error(`${name} takes no events over HTTP`);
  return startPublisher;
}

interface Expected {
  readonly step: string;
  readonly part: string;
}

function expectedOf(setup: Setup): Expected[] {
  if (setup.kind === 'idle') return [{ step: 'idle', part: '' }];
  const parts = setup.kind === 'fan-out' ? setup.parts.map(({ label }) => label) : [''];
  return setup.steps.flatMap(({ label: step }) => parts.map((part) => ({ step, part })));
}

function notRun({ step, part }: Expected, reason: string): Measurement {
  return {
    step,
    part,
    offeredPerSecond: 0,
    verdict: 'unavailable',
    reason: inBrief(reason),
    figures: {},
    histogram: [],
    counts: {},
    server: NO_SERVER,
  };
}

function tooFewFiles(connections: number): string | undefined {
  const limit = openFileLimit();
  if (connections + OTHER_FILES <= limit) return undefined;
  return `needs ${connections + OTHER_FILES} open files, and the limit (ulimit -n) is ${limit}`;
}

/** Servers say much when they do not start, on many lines. */
function inBrief(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= MAX_REASON ? line : `${line.slice(0, MAX_REASON - 1)}…`;
}
