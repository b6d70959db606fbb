import type { Scenario } from '../run/scenario.ts';
import type { World } from '../run/scenario-context.ts';

const LEASE_MS = 10_000;
const RECOVERY_MS = 10_000;

/** So often, one after the other. */
export function killGateway(rounds: number): Scenario['run'] {
  return async (world: World) => {
    for (let round = 0; round < rounds; round += 1) {
      const gateway = world.random.pick(world.system.gateways);
      await world.rest(world.random.between(1000, 3000));
      await gateway.server.kill();
      await Promise.all([world.caughtUp(RECOVERY_MS), world.countsRight(LEASE_MS)]);
      await gateway.server.restart();
    }
  };
}
