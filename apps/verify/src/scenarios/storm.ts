import { RedisProbe } from '@leque/lab';
import type { Scenario } from '../run/scenario.ts';
import type { World } from '../run/scenario-context.ts';

const DOWN_MS = 3000;
const RECOVERY_MS = 10_000;
const MOST = 0.99;
/** Of the reading calls, for each client that comes back. */
const FEW = 0.2;

/** Everybody comes back at the same moment, with cursors, and has missed something. */
export const storm: Scenario['run'] = async (world: World) => {
  await world.rest(2000);
  await world.stopLoad();
  using redis = await RedisProbe.connect(world.system.redis.standalone.port);
  await world.clients.down(DOWN_MS);
  for (let round = 0; round < 3; round += 1) await world.publishOne();
  await world.rest(DOWN_MS);
  const before = await functionCalls(redis);
  const startedAt = performance.now();
  const all = world.plan.clients.length;
  const back = async () => (await world.clients.status()).open >= all * MOST;
  await world.expect(`${MOST * 100} % are back`, back, RECOVERY_MS);
  world.notes.push(`${MOST * 100} % of ${all} were back after ${secondsSince(startedAt)} s`);
  await world.caughtUp(RECOVERY_MS);
  const calls = (await functionCalls(redis)) - before;
  world.notes.push(`${calls} calls to Redis for ${all} clients`);
  if (calls > all * FEW) world.violations.push(`${calls} calls to Redis are too many`);
  await world.startLoad();
};

/** Histories and positions are read by functions. */
async function functionCalls(redis: RedisProbe): Promise<number> {
  const stats = (await redis.ask('INFO', 'commandstats')) ?? '';
  return Number(/^cmdstat_fcall:calls=(\d+)/m.exec(stats)?.[1] ?? 0);
}

function secondsSince(startedAt: number): string {
  return ((performance.now() - startedAt) / 1000).toFixed(1);
}
