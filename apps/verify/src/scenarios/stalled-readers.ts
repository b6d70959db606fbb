import { COLLECTING_SERVER, collectGarbage, residentKb } from '@leque/lab';
import type { Scenario } from '../run/scenario.ts';
import type { ScenarioContext } from '../run/scenario-context.ts';

/** Until the heaps of the gateways are as large as the load makes them. */
const WARM_UP_MS = 20_000;
const STALL_MS = 60_000;
const LOOK_MS = 5000;
const COLLECTING_MS = 500;
const RECOVERY_MS = 20_000;
/** Of all gateways; what is published to those who do not read is a multiple of that. */
const MAX_GROWTH_MB = 40;
/** 5 % of all; the first of a kind has the heavy channels. */
const STALLED = ['project-0', 'project-2', 'project-3', 'notifications-0', 'socketio-0'];
/** Reads, but in the conflated channel: who is late there for a moment misses what is old. */
const CONFLATED = 'socketio-1';

/** So that what they hold can be told from what they have not thrown away yet. */
export const STALLED_SETTINGS = {
  ...COLLECTING_SERVER,
  /** Whoever reads slowly gets only the newest to its user, and is closed over anything else. */
  SLOW_CONSUMER_RULES: 'user:* conflate verify.event/run',
  WEBSOCKET_TIMEOUT: '120',
};

/** A few of them read nothing for a while; what they miss by that they are told. */
export const stalledReaders: Scenario['run'] = async (context: ScenarioContext) => {
  await context.rest(WARM_UP_MS);
  for (const id of [...STALLED, CONFLATED]) context.excused.add(id);
  const before = await heldMb(context);
  let most = before;
  await context.clients.stall(STALLED, true);
  const over = performance.now() + STALL_MS;
  while (performance.now() < over) {
    await context.rest(LOOK_MS);
    most = Math.max(most, await heldMb(context));
  }
  await context.clients.stall(STALLED, false);
  await context.caughtUp(RECOVERY_MS);
  context.notes.push(`the gateways held ${before} MB, and at most ${most} MB`);
  if (most - before > MAX_GROWTH_MB) context.violations.push(`the gateways grew to ${most} MB`);
};

async function heldMb(context: ScenarioContext): Promise<number> {
  const pids = context.system.gateways.map(({ server }) => server.pid);
  collectGarbage(pids);
  await context.rest(COLLECTING_MS);
  return Math.round((residentKb(pids) ?? 0) / 1024);
}
