import type { Scenario } from '../run/scenario.ts';
import type { ScenarioContext } from '../run/scenario-context.ts';

const RECOVERY_MS = 10_000;
/** Less than a publisher waits for an answer: nobody has been told anything when it dies. */
const UNANSWERED_MS = 500;

/**
 * So often, in the middle of batches: Redis has stored them, and the publisher dies before it is
 * told. Those that publish try again, with the same keys, also with the other one.
 */
export function killPublisher(rounds: number): Scenario['run'] {
  return async (context: ScenarioContext) => {
    for (let round = 0; round < rounds; round += 1) {
      const publisher = context.random.pick(context.system.publishers);
      await context.rest(context.random.between(1000, 2000));
      const isProxied = context.system.redis.kind === 'standalone';
      if (isProxied) publisher.link.stall('', 'toClient');
      await context.rest(UNANSWERED_MS);
      await publisher.server.kill();
      if (isProxied) publisher.link.restore();
      await publisher.server.restart();
      await context.caughtUp(RECOVERY_MS);
    }
  };
}
