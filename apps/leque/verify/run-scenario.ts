import { judge } from './judge.ts';
import { makePlan, STANDARD_SIZES } from './plan.ts';
import { Random } from './random.ts';
import type { ScenarioResult } from './result.ts';
import type { Scenario } from './scenario.ts';
import type { Target } from './target.ts';
import { World } from './world.ts';

export interface RunOptions {
  readonly seed: number;
  readonly target: Target;
  readonly signal: AbortSignal;
}

/** Sets load and clients up, lets the scenario happen, and audits what every client has seen. */
export async function runScenario(
  scenario: Scenario,
  { seed, target, signal }: RunOptions,
): Promise<ScenarioResult> {
  const startedAt = performance.now();
  const random = new Random(seed ^ numberOf(scenario.name));
  const sizes = { ...STANDARD_SIZES, ...scenario.sizes };
  const plan = await makePlan(uniqueRun(), sizes, target);
  const { clientsPerProcess } = sizes;
  await using world = await World.open({ target, plan, random, signal, clientsPerProcess });
  await world.begin();
  await attempt(scenario, world, signal);
  const load = await world.end();
  const clients = await world.clients.results();
  const judged = judge(scenario, { plan, load, clients, excused: world.excused });
  return {
    scenario: scenario.name,
    about: scenario.about,
    seed,
    redis: 'standalone',
    events: judged.events,
    findings: judged.findings,
    longestPauseMs: Math.max(...clients.map(({ longestPauseMs }) => longestPauseMs)),
    recoveredInMs: world.recoveredInMs,
    clients: clients.length,
    connects: clients.reduce((sum, { connects }) => sum + connects, 0),
    failures: load.failures,
    slowestRefusalMs: load.slowestRefusalMs,
    seconds: (performance.now() - startedAt) / 1000,
    violations: [...world.violations, ...judged.violations],
    notes: world.notes,
  };
}

/** What goes wrong in it is a violation: what the clients saw is worth an audit all the same. */
async function attempt(scenario: Scenario, world: World, signal: AbortSignal): Promise<void> {
  try {
    await scenario.run(world);
  } catch (error) {
    signal.throwIfAborted();
    world.violations.push(error instanceof Error ? error.message : String(error));
  }
}

/** So that two runs on one system do not take each other's events for theirs. */
function uniqueRun(): string {
  return crypto.randomUUID().slice(0, 8);
}

/** The choices of a scenario are the same whichever others are run before it. */
function numberOf(name: string): number {
  return [...name].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), 7);
}
