import { COLLECTING_SERVER, collectGarbage, cpuMicroseconds, residentKb } from '@leque/lab';
import { FLOODS, type Flood } from '../flooding/floods.ts';
import type { FloodCommands } from '../flooding/program.ts';
import type { Scenario } from '../run/scenario.ts';
import type { ScenarioContext } from '../run/scenario-context.ts';
import type { SystemOptions } from '../target/system.ts';
import { Worker } from '../worker/worker.ts';
import { quantilesOf } from './flood/quantiles.ts';
import type { WatchCommands } from './flood/watch-program.ts';

const FLOOD_PROGRAM = new URL('../flooding/program.ts', import.meta.url);
const WATCH_PROGRAM = new URL('./flood/watch-program.ts', import.meta.url);
const ANSWER_MS = 10_000;
const QUIET_MS = 10_000;
const FLOOD_MS = 1500;
const WARM_UP_MS = 200;
/** From so many connections each flood comes. */
const CONNECTIONS = [1, 20];
/** Time for the connections of floods to be closed. */
const SETTLE_MS = 15_000;
const COLLECTING_MS = 1000;
const RECOVERY_MS = 10_000;
/** How many times later than in the quiet phase events may come to others. */
const MAX_FACTOR = 3;
/** A quiet phase counts for at least this, because times are whole milliseconds. */
const MIN_QUIET_MS = 5;
const MAX_P99_MS = 50;
const MAX_GROWTH = 1.1;

/** No proxy of verify is between a publisher and the client that is timed. */
export const FLOOD_SYSTEM: Partial<SystemOptions> = {
  direct: true,
  settings: { ...COLLECTING_SERVER, WEBSOCKET_COMPRESSION: 'on' },
};

/**
 * Few clients of every kind, so that a machine of two cores stays mostly idle, and times do not include
 * waiting for a core.
 */
export const FLOOD_SIZES = {
  notifications: 8,
  project: 4,
  room: 3,
  socketio: 6,
  polling: 3,
  recovering: 3,
};

/** Sends every kind of input without an end to one gateway, while its other clients are timed. */
export const flood: Scenario['run'] = async (context: ScenarioContext) => {
  await using flooder = new Worker<FloodCommands>(FLOOD_PROGRAM, 'flood');
  await using watcher = new Worker<WatchCommands>(WATCH_PROGRAM, 'watch');
  const watched = { gateway: gatewayOf(context).url, token: await watchersToken(context) };
  await watcher.ask('watch', watched, ANSWER_MS);
  const flooding = new Flooding(context, flooder, watcher);
  await flooding.warmUp();
  const before = await flooding.memoryMb();
  const quiet = quantilesOf(await flooding.measure('quiet', () => context.rest(QUIET_MS)));
  const delayed: number[] = [];
  for (const connections of CONNECTIONS) {
    for (const each of FLOODS) {
      const pour = () => flooding.pour(each, connections, FLOOD_MS);
      delayed.push(...(await flooding.measure(`${each.name} × ${connections}`, pour)));
    }
  }
  const after = await flooding.memoryMb();
  context.notes.push(`the gateway held ${before} MB before, and ${after} MB after`);
  const { p99 } = quantilesOf(delayed);
  const allowed = Math.min(MAX_P99_MS, MAX_FACTOR * Math.max(quiet.p99, MIN_QUIET_MS));
  if (p99 > allowed) context.violations.push(`p99 of others ${p99} ms, allowed ${allowed} ms`);
  if (after > before * MAX_GROWTH) context.violations.push(`the gateway grew to ${after} MB`);
  await context.caughtUp(RECOVERY_MS);
};

class Flooding {
  readonly #context: ScenarioContext;
  readonly #flooder: Worker<FloodCommands>;
  readonly #watcher: Worker<WatchCommands>;

  constructor(
    context: ScenarioContext,
    flooder: Worker<FloodCommands>,
    watcher: Worker<WatchCommands>,
  ) {
    this.#context = context;
    this.#flooder = flooder;
    this.#watcher = watcher;
  }

  /**
   * Lets the gateway's heap, its buffers and its compiled code reach their size, with as many connections
   * as later. Growth after that is a leak.
   */
  async warmUp(): Promise<void> {
    for (const connections of CONNECTIONS) {
      for (const each of FLOODS) await this.pour(each, connections, WARM_UP_MS);
    }
  }

  async pour({ name }: Flood, connections: number, ms: number): Promise<void> {
    const { url } = gatewayOf(this.#context);
    const token = await this.#context.target.token('flooder', []);
    await this.#flooder.ask('start', { name, connections, url, token }, ANSWER_MS);
    await this.#context.rest(ms);
    await this.#flooder.ask('stop', {}, ANSWER_MS);
  }

  /** Notes the gateway's CPU time and the delivery times of others during `what`. @returns these times */
  async measure(name: string, what: () => Promise<unknown>): Promise<number[]> {
    const { pid } = gatewayOf(this.#context);
    await this.#times();
    const [startedAt, cpu = 0] = [performance.now(), cpuMicroseconds([pid])];
    await what();
    const used = (cpuMicroseconds([pid]) ?? 0) - cpu;
    const percent = Math.round(used / 10 / (performance.now() - startedAt));
    const times = await this.#times();
    const { events, p50, p99 } = quantilesOf(times);
    this.#context.notes.push(
      `${name}: gateway CPU ${percent} %, ${events} events of others, p50 ${p50} ms, p99 ${p99} ms`,
    );
    return times;
  }

  /** Delivery times of the watching client's events since the last call, in milliseconds. */
  #times(): Promise<number[]> {
    return this.#watcher.ask('take', {}, ANSWER_MS);
  }

  async memoryMb(): Promise<number> {
    const { pid } = gatewayOf(this.#context);
    await this.#context.rest(SETTLE_MS);
    collectGarbage([pid]);
    await this.#context.rest(COLLECTING_MS);
    return Math.round((residentKb([pid]) ?? 0) / 1024);
  }
}

/** The gateway that is flooded. */
function gatewayOf({ system }: ScenarioContext) {
  const [gateway] = system.gateways;
  if (gateway === undefined) throw new Error('this system has no gateway');
  return gateway.server;
}

/** A token for the project events of all other clients. */
function watchersToken({ target, plan }: ScenarioContext): Promise<string> {
  return target.token('watcher', [...new Set(plan.clients.flatMap(({ projects }) => projects))]);
}
