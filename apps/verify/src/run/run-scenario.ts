import { Random } from '@leque/testkit';
import type { ClientResult } from '../clients/client-spec.ts';
import type { LoadBalancer } from '../target/load-balancer.ts';
import type { Target } from '../target/target.ts';
import { auditRun } from './audit-run.ts';
import { makePlan, STANDARD_SIZES } from './plan.ts';
import type { ScenarioResult } from './result.ts';
import type { Scenario } from './scenario.ts';
import { ScenarioContext } from './scenario-context.ts';
import { TimerLag } from './timer-lag.ts';

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
  using timerLag = new TimerLag();
  const random = new Random(seed ^ numberOf(scenario.name));
  const sizes = { ...STANDARD_SIZES, ...scenario.sizes };
  const plan = await makePlan(uniqueRun(), sizes, target);
  const { clientsPerProcess } = sizes;
  if (target.system !== undefined) await scenario.before?.(target.system);
  await using loadBalancer = await startLoadBalancer(scenario, target);
  const urls = loadBalancer === undefined ? target.gateways : [loadBalancer.url];
  await using context = await ScenarioContext.open({
    ...{ target, urls, plan, random, signal, clientsPerProcess, loadBalancer },
  });
  await context.begin();
  await attempt(() => scenario.run(context), context, signal);
  const load = await context.end();
  const clients = await context.clients.results();
  const audit = auditRun(scenario, { plan, load, clients, excused: context.excused });
  await context.clients[Symbol.asyncDispose]();
  await attempt(() => scenario.after?.(context), context, signal);
  const slowest = slowestOf(clients, context.excused);
  const longestPauseMs = slowest?.longestPauseMs ?? 0;
  return {
    scenario: scenario.name,
    about: scenario.about,
    seed,
    redis: target.system?.redis.kind ?? '',
    events: audit.events,
    findings: audit.findings,
    longestPauseMs,
    recoveredInMs: context.recoveredInMs,
    clients: clients.length,
    connects: clients.reduce((sum, { connects }) => sum + connects, 0),
    failures: load.failures,
    slowestRefusalMs: load.slowestRefusalMs,
    seconds: (performance.now() - startedAt) / 1000,
    violations: [...context.violations, ...audit.violations, ...pauseProblem(scenario, slowest)],
    notes: [...context.notes, ...timerLag.lines()],
    slowest: `${slowest?.id}, back after ${((slowest?.slowestReturnMs ?? 0) / 1000).toFixed(1)} s at most`,
  };
}

/** An error is a violation, so that the clients' logs are audited nevertheless. */
async function attempt(
  part: () => Promise<void> | undefined,
  context: ScenarioContext,
  signal: AbortSignal,
): Promise<void> {
  try {
    await part();
  } catch (error) {
    signal.throwIfAborted();
    context.violations.push(error instanceof Error ? error.message : String(error));
  }
}

async function startLoadBalancer(
  { loadBalancer }: Scenario,
  target: Target,
): Promise<LoadBalancer | undefined> {
  if (loadBalancer === undefined || target.system === undefined) return undefined;
  return await loadBalancer(target.system);
}

/** The client with the longest pause, without disturbed clients. */
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
  return [`${slowest.id} received nothing for ${(slowest.longestPauseMs / 1000).toFixed(1)} s`];
}

/** Distinguishes the events of two runs on one system. */
function uniqueRun(): string {
  return crypto.randomUUID().slice(0, 8);
}

/** A seed from the name, so that a scenario's choices do not depend on earlier scenarios. */
function numberOf(name: string): number {
  return [...name].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), 7);
}
