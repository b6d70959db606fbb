import type { Scenario } from '../scenario.ts';
import type { World } from '../world.ts';

const RECOVERY_MS = 15_000;

/** Every gateway is replaced, one after the other, as a deployment does. */
export const rollingDeploy: Scenario['run'] = async (world: World) => {
  for (const gateway of world.random.shuffled(world.system.gateways)) {
    await world.rest(2000);
    await gateway.server.stop();
    await gateway.server.restart();
    await world.caughtUp(RECOVERY_MS);
  }
};
