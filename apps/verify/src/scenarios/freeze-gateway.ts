import type { Scenario } from '../run/scenario.ts';
import type { ScenarioContext } from '../run/scenario-context.ts';

const RECOVERY_MS = 15_000;
const LEASE_MS = 10_000;

/**
 * Freezes random gateways, one after the other, for these milliseconds. Clients whose timeout
 * passes reconnect elsewhere; the others stay and catch up.
 */
export function freezeGateway(...durationsMs: readonly number[]): Scenario['run'] {
  return async (context: ScenarioContext) => {
    for (const durationMs of durationsMs) {
      const gateway = context.random.pick(context.system.gateways);
      await context.rest(context.random.between(1000, 2000));
      gateway.server.pause();
      try {
        await context.rest(durationMs);
        // After its lease, neither the gateway nor its former clients are counted.
        if (durationMs > LEASE_MS) await context.countsRight(LEASE_MS);
      } finally {
        gateway.server.resume();
      }
      await context.isReady(gateway, RECOVERY_MS);
      await Promise.all([context.caughtUp(RECOVERY_MS), context.countsRight(LEASE_MS)]);
    }
  };
}
