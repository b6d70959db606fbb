import type { Scenario } from '../run/scenario.ts';
import type { ScenarioContext } from '../run/scenario-context.ts';

const LEASE_MS = 10_000;
const RECOVERY_MS = 10_000;

/** Kills and restarts random gateways, one in each round. */
export function killGateway(rounds: number): Scenario['run'] {
  return async (context: ScenarioContext) => {
    for (let round = 0; round < rounds; round += 1) {
      const gateway = context.random.pick(context.system.gateways);
      await context.rest(context.random.between(1000, 3000));
      await gateway.server.kill();
      await Promise.all([context.caughtUp(RECOVERY_MS), context.countsRight(LEASE_MS)]);
      await gateway.server.restart();
    }
  };
}
