import type { Scenario } from '../run/scenario.ts';
import type { World } from '../run/scenario-context.ts';

const RECOVERY_MS = 10_000;
/** Less than a publisher waits for an answer: nobody has been told anything when it dies. */
const UNANSWERED_MS = 500;

/**
 * So often, in the middle of batches: Redis has stored them, and the publisher dies before it is
 * told. Those that publish try again, with the same keys, also with the other one.
 */
export function killPublisher(rounds: number): Scenario['run'] {
  return async (world: World) => {
    for (let round = 0; round < rounds; round += 1) {
      const publisher = world.random.pick(world.system.publishers);
      await world.rest(world.random.between(1000, 2000));
      const isProxied = world.system.redis.kind === 'standalone';
      if (isProxied) publisher.link.stall('', 'toClient');
      await world.rest(UNANSWERED_MS);
      await publisher.server.kill();
      if (isProxied) publisher.link.restore();
      await publisher.server.restart();
      await world.caughtUp(RECOVERY_MS);
    }
  };
}
