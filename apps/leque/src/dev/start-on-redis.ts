import { setTimeout as delay } from 'node:timers/promises';
import { openRedis, type RedisDrivers, type RedisSettings } from '@leque/broker-redis';
import { BrokerRefusedError, type RunningServer } from '@leque/service';

const LOOK_MS = 200;
const STOP_TIMEOUT_MS = 10_000;
const SILENT = { report: () => {} };

/**
 * Starts a server once Redis serves. A Redis that is away is named in one sentence and waited for, so
 * that nothing says before that the system is ready.
 * @throws BrokerRefusedError when waiting cannot help
 */
export async function startOnRedis(
  settings: RedisSettings,
  start: () => Promise<RunningServer>,
): Promise<RunningServer> {
  const redis = openRedis(settings, { nodeId: 'start', telemetry: SILENT });
  const problem = await connect(redis);
  if (problem !== undefined) return startLater(redis, problem, start);
  await redis.close();
  return await start();
}

/** @throws BrokerRefusedError after it has closed the connections */
async function connect(redis: RedisDrivers): Promise<string | undefined> {
  try {
    await redis.connect();
    return problemOf(redis);
  } catch (error) {
    await redis.close();
    throw error;
  }
}

function startLater(
  redis: RedisDrivers,
  problem: string,
  start: () => Promise<RunningServer>,
): RunningServer {
  console.log(
    `Leque waits: ${problem}. Start it, or unset REDIS_URL; Leque goes on by itself, Ctrl-C stops it.`,
  );
  const stopping = new AbortController();
  let running: RunningServer | undefined;
  const starting = untilServed(redis, stopping.signal).then(async (served) => {
    if (served) running = await start();
    return running;
  });
  return {
    failed: starting.then((server) => server?.failed ?? new Promise<never>(() => {})),
    get stopTimeoutMs() {
      return running?.stopTimeoutMs ?? STOP_TIMEOUT_MS;
    },
    async stop() {
      stopping.abort();
      const server = await starting.catch(() => undefined); // `failed` has the reason
      await server?.stop();
    },
  };
}

/** Returns false when the signal came first. */
async function untilServed(redis: RedisDrivers, signal: AbortSignal): Promise<boolean> {
  try {
    while (!signal.aborted && problemOf(redis) !== undefined) {
      await delay(LOOK_MS, undefined, { signal }).catch(() => {});
    }
    return !signal.aborted;
  } finally {
    await redis.close();
  }
}

function problemOf(redis: RedisDrivers): string | undefined {
  const refusal = redis.refusal();
  if (refusal !== undefined) throw new BrokerRefusedError(refusal);
  const health = redis.broker.health();
  return health.ok ? undefined : health.reason;
}
