import { RedisProbe } from '@leque/lab';
import type { Scenario } from '../run/scenario.ts';
import type { ScenarioContext } from '../run/scenario-context.ts';

const DOWN_MS = 3000;
const RECOVERY_MS = 10_000;
const MOST = 0.99;
/** Allowed function calls per reconnecting client. */
const FEW = 0.2;

/** All clients reconnect at once with cursors, after they have missed events. */
export const storm: Scenario['run'] = async (context: ScenarioContext) => {
  await context.rest(2000);
  await context.stopLoad();
  using redis = await RedisProbe.connect(context.system.redis.standalone.port);
  await context.clients.down(DOWN_MS);
  for (let round = 0; round < 3; round += 1) await context.publishOne();
  await context.rest(DOWN_MS);
  const before = await functionCalls(redis);
  const startedAt = performance.now();
  const all = context.plan.clients.length;
  const back = async () => (await context.clients.status()).open >= all * MOST;
  await context.expect(`${MOST * 100} % are back`, back, RECOVERY_MS);
  context.notes.push(`${MOST * 100} % of ${all} were back after ${secondsSince(startedAt)} s`);
  await context.caughtUp(RECOVERY_MS);
  const calls = (await functionCalls(redis)) - before;
  context.notes.push(`${calls} calls to Redis for ${all} clients`);
  if (calls > all * FEW) context.violations.push(`${calls} calls to Redis are too many`);
  await context.startLoad();
};

/** Number of function calls, which read histories and positions. */
async function functionCalls(redis: RedisProbe): Promise<number> {
  const stats = (await redis.ask('INFO', 'commandstats')) ?? '';
  return Number(/^cmdstat_fcall:calls=(\d+)/m.exec(stats)?.[1] ?? 0);
}

function secondsSince(startedAt: number): string {
  return ((performance.now() - startedAt) / 1000).toFixed(1);
}
