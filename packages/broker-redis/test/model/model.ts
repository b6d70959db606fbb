import { Random } from '@leque/testkit';
import { Ending } from './ending.ts';
import { Operations } from './operations.ts';
import { chooseProfile } from './profile.ts';
import { simulateTimers } from './simulated-timers.ts';
import { Simulation } from './simulation.ts';

/** The share of steps that begin something new; the others carry on what is under way. */
const OPERATIONS = 0.25;

export interface RunOptions {
  readonly seed: number;
  /** Steps that are taken at most before everything is healed; the profile may have fewer. */
  readonly maxSteps: number;
  /** Whether the trace has everything that clients read. */
  readonly isDetailed: boolean;
}

/** Runs one interleaving, from the first connection until nothing is left. */
export async function runModel({ seed, maxSteps, isDetailed }: RunOptions): Promise<Simulation> {
  const random = new Random(seed);
  const profile = chooseProfile(random);
  const simulation = new Simulation(random, profile, isDetailed);
  using _ = simulateTimers(simulation.scheduler);
  using __ = withoutStackTraces();
  await simulation.startNode(0);
  await simulation.startNode(1);
  const operations = new Operations(simulation);
  for (let step = 0; step < Math.min(profile.steps, maxSteps); step += 1) {
    if (random.chance(OPERATIONS)) await operations.next();
    else await simulation.scheduler.step();
    checkMemory(simulation);
    if (simulation.failed) return simulation;
  }
  await new Ending(simulation).play();
  return simulation;
}

/** Finds the shortest run of a seed that fails, with a detailed trace. */
export async function findShortest(seed: number): Promise<Simulation> {
  for (let maxSteps = 0; ; maxSteps += 1) {
    const simulation = await runModel({ seed, maxSteps, isDetailed: true });
    if (simulation.failed || maxSteps >= simulation.profile.steps) return simulation;
  }
}

/** Saves time: runs make many errors whose stacks nobody reads. */
function withoutStackTraces(): Disposable {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  return {
    [Symbol.dispose]() {
      Error.stackTraceLimit = stackTraceLimit;
    },
  };
}

function checkMemory(simulation: Simulation): void {
  const { outboxMaxBytes } = simulation.profile.hub;
  for (const { sessions } of simulation.nodes) {
    for (const { session } of sessions) {
      // Held publications may take two thirds of the outbox, so this asks about all of it.
      if (session.canHold(-outboxMaxBytes / 3 - 1)) continue;
      simulation.violate('MEM: a session has more bytes queued than its outbox may hold');
    }
  }
}
