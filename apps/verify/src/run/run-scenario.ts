import { Random } from '@leque/testkit';
import type { ClientResult } from '../clients/client-spec.ts';
import type { Front } from '../target/load-balancer.ts';
import type { Target } from '../target/target.ts';
import { judge } from './audit-run.ts';
import { makePlan, STANDARD_SIZES } from './plan.ts';
import type { ScenarioResult } from './result.ts';
import type { Scenario } from './scenario.ts';
import { World } from './scenario-context.ts';
import { Lateness } from './timer-lag.ts';

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
  using lateness = new Lateness();
  const random = new Random(seed ^ numberOf(scenario.name));
  const sizes = { ...STANDARD_SIZES, ...scenario.sizes };
  const plan = await makePlan(uniqueRun(), sizes, target);
  const { clientsPerProcess } = sizes;
  if (target.system !== undefined) await scenario.before?.(target.system);
  await using front = await openFront(scenario, target);
  const urls = front === undefined ? target.gateways : [front.url];
  await using world = await World.open({
    ...{ target, urls, plan, random, signal, clientsPerProcess, front },
  });
  await world.begin();
  await attempt(() => scenario.run(world), world, signal);
  const load = await world.end();
  const clients = await world.clients.results();
  const judged = judge(scenario, { plan, load, clients, excused: world.excused });
  await world.clients[Symbol.asyncDispose]();
  await attempt(() => scenario.after?.(world), world, signal);
  const slowest = slowestOf(clients, world.excused);
  const longestPauseMs = slowest?.longestPauseMs ?? 0;
  return {
    scenario: scenario.name,
    about: scenario.about,
    seed,
    redis: target.system?.redis.kind ?? '',
    events: judged.events,
    findings: judged.findings,
    longestPauseMs,
    recoveredInMs: world.recoveredInMs,
    clients: clients.length,
    connects: clients.reduce((sum, { connects }) => sum + connects, 0),
    failures: load.failures,
    slowestRefusalMs: load.slowestRefusalMs,
    seconds: (performance.now() - startedAt) / 1000,
    violations: [...world.violations, ...judged.violations, ...pauseProblem(scenario, slowest)],
    notes: [...world.notes, ...lateness.lines()],
    slowest: `${slowest?.id}, back after ${((slowest?.slowestReturnMs ?? 0) / 1000).toFixed(1)} s at worst`,
  };
}

/** What goes wrong in it is a violation: what the clients saw is worth an audit all the same. */
async function attempt(
  part: () => Promise<void> | undefined,
  world: World,
  signal: AbortSignal,
): Promise<void> {
  try {
    await part();
  } catch (error) {
    signal.throwIfAborted();
    world.violations.push(error instanceof Error ? error.message : String(error));
  }
}

async function openFront({ front }: Scenario, target: Target): Promise<Front | undefined> {
  if (front === undefined || target.system === undefined) return undefined;
  return await front(target.system);
}

/** With the longest pause, of the clients that nothing was done to. */
function slowestOf(
  clients: readonly ClientResult[],
  excused: ReadonlySet<string>,
): ClientResult | undefined {
  const others = clients.filter(({ id }) => !excused.has(id));
  return others.sort((a, b) => b.longestPauseMs - a.longestPauseMs)[0];
}

function pauseProblem({ maxPauseMs }: Scenario, slowest: ClientResult | undefined): string[] {
  if (slowest === undefined || slowest.longestPauseMs <= (maxPauseMs ?? Number.POSITIVE_INFINITY))
    return [];
  return [`${slowest.id} got nothing for ${(slowest.longestPauseMs / 1000).toFixed(1)} s`];
}

/** So that two runs on one system do not take each other's events for theirs. */
function uniqueRun(): string {
  return crypto.randomUUID().slice(0, 8);
}

/** The choices of a scenario are the same whichever others are run before it. */
function numberOf(name: string): number {
  return [...name].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), 7);
}
