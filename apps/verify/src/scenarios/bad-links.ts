import type { Scenario } from '../run/scenario.ts';
import type { ScenarioContext } from '../run/scenario-context.ts';

const DOWN_MS = 2000;
const DEFAULT_EVERY_MS = 15_000;
const RECOVERY_MS = 10_000;

/** Mobile clients: all connections are cut, and new ones fail for a while. */
export function badLinks(rounds: number, everyMs = DEFAULT_EVERY_MS): Scenario['run'] {
  return async (context: ScenarioContext) => {
    for (let round = 0; round < rounds; round += 1) {
      const over = performance.now() + everyMs;
      await context.clients.down(DOWN_MS);
      await context.rest(DOWN_MS);
      await context.caughtUp(RECOVERY_MS);
      if (round < rounds - 1) await context.rest(Math.max(over - performance.now(), 0));
    }
  };
}
