import type { Scenario } from '../../run/scenario.ts';
import type { ScenarioContext } from '../../run/scenario-context.ts';

const AWAY_MS = 3000;
/** The publisher's deadline of 1 s, with a margin for a busy machine. */
const REFUSED_MS = 1500;
const RECOVERY_MS = 20_000;

/** Kills and restarts Redis; whether it keeps its data depends on the system's options. */
export const restartRedis: Scenario['run'] = async (context: ScenarioContext) => {
  const redis = context.system.redis.standalone;
  await context.rest(context.random.between(3000, 5000));
  await redis.kill();
  await context.rest(AWAY_MS);
  await redis.restart();
  for (const gateway of context.system.gateways) await context.isReady(gateway, RECOVERY_MS);
  await context.caughtUp(RECOVERY_MS);
  await context.failedLoudly(REFUSED_MS);
  await context.rest(3000);
};
