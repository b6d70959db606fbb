import type { Scenario } from '../run/scenario.ts';
import type { ScenarioContext } from '../run/scenario-context.ts';

const RECOVERY_MS = 10_000;
/** Shorter than a publisher waits for Redis, so that it dies before it answers. */
const UNANSWERED_MS = 500;

/**
 * Kills publishers in the middle of batches that Redis has stored and the publisher has not
 * acknowledged. The batches are sent again with the same keys, also to the other publisher.
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
