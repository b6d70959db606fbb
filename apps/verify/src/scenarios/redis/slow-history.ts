import { ask } from '@leque/testkit';
import type { Scenario } from '../../run/scenario.ts';
import type { ScenarioContext } from '../../run/scenario-context.ts';

/** The name of the connections on which histories are read. */
const COMMANDS = 'leque-commands';
/** So short that most clients come back while the histories cannot be read. */
const CUT_MS = 100;
const RECOVERY_MS = 20_000;

/**
 * Histories cannot be read for these times, each longer than the deadline of a read, while all
 * clients come back. First only the answers are held back, so that new publications arrive meanwhile;
 * then Redis does not run the functions.
 */
export function slowHistory(...durationsMs: readonly number[]): Scenario['run'] {
  return async (context: ScenarioContext) => {
    for (const durationMs of durationsMs) {
      await round(context, () => withoutAnswers(context, durationMs));
      await round(context, () => withoutFunctions(context, durationMs));
    }
  };
}

async function round(context: ScenarioContext, stall: () => Promise<void>): Promise<void> {
  await context.rest(context.random.between(1000, 2000));
  await Promise.all([context.clients.down(CUT_MS), stall()]);
  for (const gateway of context.system.gateways) await context.isReady(gateway, RECOVERY_MS);
  await context.caughtUp(RECOVERY_MS);
}

async function withoutAnswers(context: ScenarioContext, durationMs: number): Promise<void> {
  const { gateways } = context.system;
  for (const { link } of gateways) link.stall(COMMANDS, 'toClient');
  await context.rest(durationMs);
  for (const { link } of gateways) link.resume();
}

async function withoutFunctions(context: ScenarioContext, durationMs: number): Promise<void> {
  const { port } = context.system.redis.standalone;
  await ask(port, 'CLIENT', 'PAUSE', String(durationMs), 'WRITE');
  await context.rest(durationMs);
}
