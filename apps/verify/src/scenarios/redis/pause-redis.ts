import { ask, type TestRedis } from '@leque/testkit';
import type { Scenario } from '../../run/scenario.ts';
import type { ScenarioContext } from '../../run/scenario-context.ts';
import { missEvents } from './miss-events.ts';

/** The publisher's deadline of 1 s, with a margin for a busy machine. */
const REFUSED_MS = 1500;
const RECOVERY_MS = 20_000;

type Pause = (context: ScenarioContext, durationMs: number) => Promise<void>;

/** Stops Redis by `SIGSTOP` for `durationMs`. */
export const freeze: Pause = async (context, durationMs) => {
  const { standalone } = context.system.redis;
  await standalone.pause();
  try {
    await context.rest(durationMs);
  } finally {
    await standalone.resume();
  }
};

const pauseClients =
  (mode: 'WRITE' | 'ALL'): Pause =>
  async (context, durationMs) => {
    const redis: TestRedis = context.system.redis.standalone;
    await ask(redis.port, 'CLIENT', 'PAUSE', String(durationMs), mode);
    await context.rest(durationMs);
  };

const PAUSES: readonly (readonly [Pause, number])[] = [
  [freeze, 1700],
  [freeze, 5000],
  [pauseClients('WRITE'), 2500],
  [pauseClients('ALL'), 2500],
];

/** Redis is stopped by a signal and by its own command, while all clients are cut and come back. */
export const pauseRedis: Scenario['run'] = async (context: ScenarioContext) => {
  for (const [pause, durationMs] of context.random.shuffled(PAUSES)) {
    await missEvents(context);
    await pause(context, durationMs);
    for (const gateway of context.system.gateways) await context.isReady(gateway, RECOVERY_MS);
    await context.caughtUp(RECOVERY_MS);
  }
  await context.failedLoudly(REFUSED_MS);
};
