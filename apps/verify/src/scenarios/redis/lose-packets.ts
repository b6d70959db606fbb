import type { Scenario } from '../../run/scenario.ts';
import type { ScenarioContext } from '../../run/scenario-context.ts';
import { missEvents } from './miss-events.ts';

const CUT_MS = 100;
const RECOVERY_MS = 30_000;

/** Shares of the packets between Redis and all others that are lost, and for how long. */
const LOSSES: readonly (readonly [share: number, durationMs: number])[] = [
  [0.1, 10_000],
  [0.3, 15_000],
  [1, 8000],
];

/** Packets to and from Redis are lost, while all clients are cut and come back. */
export const losePackets: Scenario['run'] = async (context: ScenarioContext) => {
  const redis = context.system.redis.lossy;
  for (const [share, durationMs] of context.random.shuffled(LOSSES)) {
    await context.rest(context.random.between(1000, 2000));
    await missEvents(context);
    await redis.lose(share);
    try {
      // While all packets are lost, every retry of a gateway to read a history fails.
      await context.rest((durationMs * 3) / 4);
      await context.clients.down(CUT_MS);
      await context.rest(durationMs / 4);
    } finally {
      await redis.lose(0);
    }
    for (const gateway of context.system.gateways) await context.isReady(gateway, RECOVERY_MS);
    await context.caughtUp(RECOVERY_MS);
  }
};
