import { setTimeout as delay } from 'node:timers/promises';
import { StartError } from '@leque/service';
import type { Random } from '@leque/testkit';
import type { PublisherCommands } from '../publishing/program.ts';
import type { PublishResult } from '../publishing/publisher-spec.ts';
import type { LoadBalancer } from '../target/load-balancer.ts';
import type { System, SystemNode } from '../target/system.ts';
import type { Target } from '../target/target.ts';
import { Worker } from '../worker/worker.ts';
import { ClientProcesses } from './client-processes.ts';
import { Counts } from './counts.ts';
import { describeMissingClients } from './missing-clients.ts';
import type { Plan } from './plan.ts';

const PROGRAM = new URL('../publishing/program.ts', import.meta.url);
const POLL_INTERVAL_MS = 50;
/** Deadline for answers of a worker, which may have to start first on a busy machine. */
const ANSWER_DEADLINE_MS = 30_000;
const OPEN_DEADLINE_MS = 60_000;
/** How long unacknowledged events are retried after the load has ended. */
const GIVE_UP_AFTER_MS = 20_000;
const SETTLE_DEADLINE_MS = 30_000;
/** In this time clients miss a few megabytes of the largest events. */
const AWAY_MS = 5000;
const COUNTS_DEADLINE_MS = 10_000;

export interface ScenarioContextDeps {
  readonly target: Target;
  /** The URLs that clients connect to. */
  readonly urls: readonly string[];
  readonly plan: Plan;
  readonly random: Random;
  readonly clientsPerProcess: number;
  readonly loadBalancer: LoadBalancer | undefined;
  /** Aborts the scenario. */
  readonly signal: AbortSignal;
}

/** The tools of a scenario: load, clients, the system to break, and expectations. */
export class ScenarioContext implements AsyncDisposable {
  readonly random: Random;
  readonly plan: Plan;
  readonly target: Target;
  /** Expectations that were not met. */
  readonly violations: string[] = [];
  /** Clients that the scenario disturbs, so that they may miss publications. */
  readonly excused = new Set<string>();
  /** Notes for the report. */
  readonly notes: string[] = [];
  /** Longest time until every client had caught up after a fault, in milliseconds. */
  recoveredInMs = 0;
  readonly #loadBalancer: LoadBalancer | undefined;
  readonly #load: Worker<PublisherCommands>;
  readonly #clientProcesses: ClientProcesses;
  readonly #signal: AbortSignal;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    parts: ScenarioContextDeps,
    clientProcesses: ClientProcesses,
    stack: AsyncDisposableStack,
  ) {
    this.random = parts.random;
    this.plan = parts.plan;
    this.target = parts.target;
    this.#loadBalancer = parts.loadBalancer;
    this.#signal = parts.signal;
    this.#clientProcesses = clientProcesses;
    this.#stack = stack;
    this.#load = stack.use(new Worker<PublisherCommands>(PROGRAM, 'load'));
  }

  static async open(parts: ScenarioContextDeps): Promise<ScenarioContext> {
    await using stack = new AsyncDisposableStack();
    const { urls, plan, random } = parts;
    const clientProcesses = stack.use(
      await ClientProcesses.open({
        run: plan.run,
        urls,
        links: 'proxied',
        seed: random.below(2 ** 31),
        clients: plan.clients,
        clientsPerProcess: parts.clientsPerProcess,
      }),
    );
    return new ScenarioContext(parts, clientProcesses, stack.move());
  }

  get clients(): ClientProcesses {
    return this.#clientProcesses;
  }

  /** @throws Error for a system that verify has not started */
  get system(): System {
    if (this.target.system === undefined)
      throw new Error('this system was not started by verify and must not be broken');
    return this.target.system;
  }

  /** @throws Error when clients connect to the gateways directly */
  get loadBalancer(): LoadBalancer {
    if (this.#loadBalancer === undefined) throw new Error('the gateways have no load balancer');
    return this.#loadBalancer;
  }

  /** Waits until every client has received an event of each of its channels; then starts the load. */
  async begin(): Promise<void> {
    const { run, channels } = this.plan;
    const { publishers: urls, headers } = this.target;
    const seed = this.random.below(2 ** 31);
    await this.#load.ask('prepare', { run, urls, headers, channels, seed }, ANSWER_DEADLINE_MS);
    await this.#allConnected();
    await this.publishOne();
    if (!(await this.caughtUp(OPEN_DEADLINE_MS)))
      throw new Error('the first events did not arrive');
    this.recoveredInMs = 0;
    await this.startLoad();
    await this.#clientProcesses.time(true);
    if (this.plan.leaving.length === 0) return;
    await this.#clientProcesses.leave(this.plan.leaving, AWAY_MS);
    await this.rest(AWAY_MS); // they come back when the scenario begins
  }

  /** @throws StartError that says which clients could not connect, and why */
  async #allConnected(): Promise<void> {
    const all = this.plan.clients.length;
    const areConnected = async () => (await this.#clientProcesses.status()).open === all;
    if (await this.#poll(areConnected, OPEN_DEADLINE_MS)) return;
    const missing = await this.#clientProcesses.missing();
    throw new StartError(describeMissingClients(missing, all));
  }

  /** Ends the load; resolves once all have seen the last event of each channel, or too late. */
  async end(): Promise<PublishResult> {
    await this.#clientProcesses.time(false);
    await this.stopLoad();
    await this.publishOne();
    await this.caughtUp(SETTLE_DEADLINE_MS);
    await this.countsRight(COUNTS_DEADLINE_MS);
    return this.#load.ask('result', {}, ANSWER_DEADLINE_MS);
  }

  async startLoad(): Promise<void> {
    await this.#load.ask('start', { giveUpAfterMs: GIVE_UP_AFTER_MS }, ANSWER_DEADLINE_MS);
  }

  async stopLoad(): Promise<void> {
    await this.#load.ask('stop', {}, GIVE_UP_AFTER_MS + ANSWER_DEADLINE_MS);
  }

  /** Publishes one event in each channel. */
  async publishOne(): Promise<void> {
    const args = { count: 1, giveUpAfterMs: GIVE_UP_AFTER_MS };
    await this.#load.ask('publish', args, GIVE_UP_AFTER_MS + ANSWER_DEADLINE_MS);
  }

  /** The highest acknowledged number of each channel. */
  acknowledged(): Promise<Record<string, number>> {
    return this.#load.ask('acknowledged', {}, ANSWER_DEADLINE_MS);
  }

  /** Notes a violation unless publishers have answered with failures, each within this time. */
  async failedLoudly(withinMs: number): Promise<void> {
    const { failures, slowestRefusalMs } = await this.#load.ask('result', {}, ANSWER_DEADLINE_MS);
    const said = Object.entries(failures).map(([status, count]) => `${count} × ${status}`);
    this.notes.push(
      `publishing failed: ${said.join(', ')}, at the latest after ${Math.round(slowestRefusalMs)} ms`,
    );
    if (said.length === 0) this.violations.push('no publisher has answered with a failure');
    if (slowestRefusalMs > withinMs)
      this.violations.push('a publisher took too long to answer with a failure');
  }

  /** Waits while the load continues. */
  async rest(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#signal });
  }

  /** Notes a violation unless `check` becomes true in time. @returns whether it did */
  async expect(what: string, check: () => Promise<boolean>, deadlineMs: number): Promise<boolean> {
    const held = await this.#poll(check, deadlineMs);
    if (!held) this.violations.push(`not within ${deadlineMs / 1000} s: ${what}`);
    return held;
  }

  /** Expects a gateway to become ready in time. */
  isReady(gateway: SystemNode, deadlineMs: number): Promise<boolean> {
    const ready = async () => (await gateway.readiness()) === 200;
    return this.expect(`${gateway.id} is ready`, ready, deadlineMs);
  }

  /** Expects every client to receive, in time, everything that is acknowledged now. */
  async caughtUp(deadlineMs: number): Promise<boolean> {
    const required = await this.acknowledged();
    const startedAt = performance.now();
    const none = async () => (await this.#clientProcesses.behind(required)) === 0;
    const held = await this.expect('all clients have seen everything', none, deadlineMs);
    this.recoveredInMs = Math.max(this.recoveredInMs, performance.now() - startedAt);
    return held;
  }

  /** Expects the cluster's counts to equal the real sockets in time. */
  async countsRight(deadlineMs: number): Promise<boolean> {
    if (this.target.system === undefined) return true; // it may have other clients
    const counts = new Counts(this.target, this.plan);
    const right = async () => counts.match(await this.#clientProcesses.status());
    const held = await this.expect('the counts are right', right, deadlineMs);
    if (!held) this.violations.push(counts.difference);
    return held;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #poll(check: () => Promise<boolean>, deadlineMs: number): Promise<boolean> {
    const deadline = performance.now() + deadlineMs;
    while (performance.now() < deadline) {
      this.#signal.throwIfAborted();
      if (await check()) return true;
      await this.rest(POLL_INTERVAL_MS);
    }
    return check();
  }
}
