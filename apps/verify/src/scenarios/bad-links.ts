import type { Scenario } from '../run/scenario.ts';
import type { World } from '../run/scenario-context.ts';

const DOWN_MS = 2000;
const EVERY_MS = 15_000;
const RECOVERY_MS = 10_000;

/** Clients on the move: all their connections break, and for a while none can be made. */
export function badLinks(rounds: number): Scenario['run'] {
  return async (world: World) => {
    for (let round = 0; round < rounds; round += 1) {
      const over = performance.now() + EVERY_MS;
      await world.clients.down(DOWN_MS);
      await world.rest(DOWN_MS);
      await world.caughtUp(RECOVERY_MS);
      if (round < rounds - 1) await world.rest(Math.max(over - performance.now(), 0));
    }
  };
}
