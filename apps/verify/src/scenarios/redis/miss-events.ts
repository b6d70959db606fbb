import type { ScenarioContext } from '../../run/scenario-context.ts';

const AWAY_MS = 1500;
const MISSED_MS = 1000;

/**
 * Cuts all clients, and resolves when they have missed events and are about to come back. A client
 * that has missed nothing needs no history, which a fault could keep from being read.
 */
export async function missEvents(context: ScenarioContext): Promise<void> {
  await context.clients.down(AWAY_MS);
  await context.rest(MISSED_MS);
}
