import type { Scenario } from '../run/scenario.ts';
import type { World } from '../run/scenario-context.ts';

const AWAY_MS = 3000;
/** The publisher's second, and what the way there and back takes on a busy machine. */
const REFUSED_MS = 1500;
const RECOVERY_MS = 20_000;

/** Killed in the middle of its work; whether it keeps anything is how it was started. */
export const restartRedis: Scenario['run'] = async (world: World) => {
  const redis = world.system.redis.standalone;
  await world.rest(world.random.between(3000, 5000));
  await redis.kill();
  await world.rest(AWAY_MS);
  await redis.restart();
  for (const gateway of world.system.gateways) await world.isReady(gateway, RECOVERY_MS);
  await world.caughtUp(RECOVERY_MS);
  await world.failedLoudly(REFUSED_MS);
  await world.rest(3000);
};
