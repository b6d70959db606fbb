import { openFileLimit } from '@leque/lab';
import type { Measurement, ServerFacts } from '../results/measurement.ts';
import type { Target } from '../targets/target.ts';
import type { Setup } from '../workloads/setups.ts';
import { formatsOf } from './connections.ts';
import { measureFanOut } from './measure-fan-out.ts';
import { measureIdle } from './measure-idle.ts';
import { measurePublishing } from './measure-publishing.ts';
import { measureSubscribes } from './measure-subscribes.ts';
import type { RunContext } from './run-context.ts';

/** The most files that a server opens in addition to its connections. */
const OTHER_FILES = 200;
const MAX_REASON = 240;
/** A target that delivers less than this share of the offered load is not given a higher rate. */
const MIN_DELIVERED_PERCENT = 80;
const NO_SERVER: ServerFacts = { versions: {}, flags: '' };

/** A target in one setup of a workload. */
export interface Candidate {
  readonly target: Target;
  readonly setup: Setup;
  /** Why the target cannot run here; undefined when it can. */
  readonly unavailable: string | undefined;
}

/**
 * Runs one repetition: each rate in turn, until the target is overloaded. Higher rates would only
 * show the overload again.
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
    yield notRun(skipped, 'not tried, because the lower rate was not held');
  }
}

/** Removes what was measured from `remaining`; stops after a rate that overloads the target. */
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

/** A small lag in one run may be caused by the machine. */
function isOverload({ verdict, figures }: Measurement): boolean {
  if (verdict !== 'behind') return verdict !== 'held';
  return (figures.deliveredShare ?? 0) < MIN_DELIVERED_PERCENT;
}

/** A target in a setup; undefined when the target does not support it. */
export async function candidateOf(target: Target, setup: Setup): Promise<Candidate | undefined> {
  if (setup.kind === 'publish') {
    if (target.startPublisher === undefined) return undefined;
    return { target, setup, unavailable: await target.unavailable() };
  }
  if (setup.kind === 'subscribe') {
    if (!target.takesGrants) return undefined;
    return { target, setup, unavailable: await target.unavailable() };
  }
  if (formatsOf(target, setup.mix) === undefined) return undefined;
  const resumes = setup.kind === 'fan-out' && setup.resumes !== undefined;
  if (resumes && !target.takesGrants) return undefined;
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
    case 'subscribe':
      return measureSubscribes(target, setup, context);
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

/** Shortens the output of a server that did not start to one line. */
function inBrief(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= MAX_REASON ? line : `${line.slice(0, MAX_REASON - 1)}…`;
}
