import { ask } from '@leque/testkit';
import type { Scenario } from '../../run/scenario.ts';
import type { ScenarioContext } from '../../run/scenario-context.ts';
import { missEvents } from './miss-events.ts';
import { freeze } from './pause-redis.ts';

const FULL_MS = 6000;
/**
 * How long Redis stalls while clients come back. A real server without room stalls while its thread waits
 * for the disk or frees memory. A gateway retries the read of a history for a shorter time, so the outcome
 * of a resume stays unknown.
 */
const STALL_MS = 6500;
const NOTICED_MS = 5000;
/** The publisher's deadline of 1 s, with a margin for a busy machine. */
const REFUSED_MS = 1500;
const RECOVERY_MS = 20_000;
const ROUNDS = 2;
/** So little more memory that a few seconds of load need more. */
const SPARE_BYTES = 32 * 1024;

/** The append-only file cannot grow: Redis refuses writes until it can, while clients come back. */
export const fillDisk: Scenario['run'] = async (context: ScenarioContext) => {
  const redis = context.system.redis.standalone;
  // With `always`, a failed write ends Redis instead.
  await ask(redis.port, 'CONFIG', 'SET', 'appendfsync', 'everysec');
  for (let round = 0; round < ROUNDS; round += 1) {
    await context.rest(context.random.between(1000, 2000));
    try {
      await missEvents(context);
      await redis.fillDisk(true);
      await freeze(context, STALL_MS);
      await unready(context);
      await context.rest(FULL_MS);
    } finally {
      await redis.fillDisk(false);
    }
    await recovered(context);
  }
  await context.failedLoudly(REFUSED_MS);
};

/** Redis evicts keys: positions, histories and leases are lost while events are published. */
export const evictKeys: Scenario['run'] = async (context: ScenarioContext) => {
  const { port } = context.system.redis.standalone;
  const evicted = async () => Number(/evicted_keys:(\d+)/.exec(await info(port))?.[1]);
  await ask(port, 'CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
  for (let round = 0; round < ROUNDS; round += 1) {
    await context.rest(context.random.between(1000, 2000));
    const before = await evicted();
    const used = Number(/used_memory:(\d+)/.exec(await info(port))?.[1]);
    await ask(port, 'CONFIG', 'SET', 'maxmemory', String(used + SPARE_BYTES));
    await context.expect('Redis evicts keys', async () => (await evicted()) > before, RECOVERY_MS);
    await missEvents(context);
    // Publishers retry an event without an answer, and Redis may have evicted its idempotency key.
    await context.stopLoad();
    await freeze(context, STALL_MS);
    await context.startLoad();
    await context.rest(FULL_MS);
    context.notes.push(`${(await evicted()) - before} keys were evicted`);
    await ask(port, 'CONFIG', 'SET', 'maxmemory', '0');
    await recovered(context);
  }
};

async function unready(context: ScenarioContext): Promise<void> {
  for (const gateway of context.system.gateways) {
    const isUnready = async () => (await gateway.readiness()) === 503;
    await context.expect(`${gateway.id} reports that it is not ready`, isUnready, NOTICED_MS);
  }
}

async function recovered(context: ScenarioContext): Promise<void> {
  for (const gateway of context.system.gateways) await context.isReady(gateway, RECOVERY_MS);
  await context.caughtUp(RECOVERY_MS);
}

async function info(port: number): Promise<string> {
  return String(await ask(port, 'INFO'));
}
