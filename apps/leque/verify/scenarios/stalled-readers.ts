import { residentKb } from '../../bench/process-usage.ts';
import type { Scenario } from '../scenario.ts';
import type { World } from '../world.ts';

/** Until the heaps of the gateways are as large as the load makes them. */
const WARM_UP_MS = 20_000;
const STALL_MS = 60_000;
const LOOK_MS = 1000;
const RECOVERY_MS = 20_000;
/** Of a gateway, with everything that its clients may have queued. */
const MAX_GROWTH_MB = 100;
const STALLED = ['project-0', 'socketio-0'];

/** A few of them read nothing for a while; what they miss by that they are told. */
export const stalledReaders: Scenario['run'] = async (world: World) => {
  await world.rest(WARM_UP_MS);
  for (const id of STALLED) world.excused.add(id);
  const before = gatewaysMb(world);
  let most = before;
  await world.clients.stall(STALLED, true);
  const over = performance.now() + STALL_MS;
  while (performance.now() < over) {
    await world.rest(LOOK_MS);
    most = Math.max(most, gatewaysMb(world));
  }
  await world.clients.stall(STALLED, false);
  await world.caughtUp(RECOVERY_MS);
  world.notes.push(`the gateways grew from ${before} to at most ${most} MB`);
  if (most - before > MAX_GROWTH_MB) world.violations.push(`the gateways grew to ${most} MB`);
};

function gatewaysMb({ system }: World): number {
  return Math.round((residentKb(system.gateways.map(({ server }) => server.pid)) ?? 0) / 1024);
}
