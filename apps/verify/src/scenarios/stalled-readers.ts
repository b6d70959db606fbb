import { COLLECTING_SERVER, collectGarbage, residentKb } from '@leque/lab';
import type { Scenario } from '../run/scenario.ts';
import type { ScenarioContext } from '../run/scenario-context.ts';

/** Time for the heaps of the gateways to reach their size under load. */
const WARM_UP_MS = 20_000;
const STALL_MS = 60_000;
const LOOK_MS = 5000;
const COLLECTING_MS = 500;
const RECOVERY_MS = 20_000;
/** Allowed growth of all gateways together, a fraction of what stalled readers are sent. */
const MAX_GROWTH_MB = 40;
/** 5 % of the clients; the first of a kind has the heavy channels. */
const STALLED = ['project-0', 'project-2', 'project-3', 'notifications-0', 'socketio-0'];
/** Reads, but in a conflated channel, where a late reader misses older events. */
const CONFLATED = 'socketio-1';

/** Collecting garbage separates memory in use from garbage. */
export const STALLED_SETTINGS = {
  ...COLLECTING_SERVER,
  /** A slow reader receives only the newest event of its user, and is closed over other channels. */
  SLOW_CONSUMER_RULES: 'user:* conflate verify.event/run',
  WEBSOCKET_TIMEOUT: '120',
};

/** Some clients stop reading for a while, and are resynced for what they miss. */
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
