import type { Scenario } from '../scenario.ts';
import type { World } from '../world.ts';

const RECOVERY_MS = 10_000;

/** So often, in the middle of batches; those that publish try again, also with the other one. */
export function killPublisher(rounds: number): Scenario['run'] {
  return async (world: World) => {
    for (let round = 0; round < rounds; round += 1) {
      const publisher = world.random.pick(world.system.publishers);
      await world.rest(world.random.between(1000, 2000));
      await publisher.kill();
      await world.rest(world.random.between(0, 500));
      await publisher.restart();
      await world.caughtUp(RECOVERY_MS);
    }
  };
}
