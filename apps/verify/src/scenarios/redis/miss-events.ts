import type { ScenarioContext } from '../../run/scenario-context.ts';

const AWAY_MS = 1500;
const MISSED_MS = 1000;

/**
 * Cuts all clients, and resolves when they have missed events and are about to come back. Only clients that
 * have missed events need the history that a fault makes unreadable.
 */
export async function missEvents(context: ScenarioContext): Promise<void> {
  await context.clients.down(AWAY_MS);
  await context.rest(MISSED_MS);
}
