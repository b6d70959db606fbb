import type { Scenario } from '../../run/scenario.ts';
import type { ScenarioContext } from '../../run/scenario-context.ts';

const RECOVERY_MS = 30_000;
const SOON_MS = 3000;

/** The master is killed, its replica takes over, and the old one comes back as a replica. */
export const sentinelFailover: Scenario['run'] = async (context: ScenarioContext) => {
  const { sentinel } = context.system.redis;
  await context.rest(SOON_MS);
  const master = await sentinel.master();
  await master.kill();
  await sentinel.promoted(master);
  await recovered(context);
  await master.restart();
  await context.rest(SOON_MS);
  await context.caughtUp(RECOVERY_MS);
};

/** The master of a project's channel is killed, its replica takes over, and it comes back. */
export const clusterMasterKilled: Scenario['run'] = async (context: ScenarioContext) => {
  const { cluster } = context.system.redis;
  await context.rest(SOON_MS);
  const key = someProject(context);
  const master = await cluster.masterOf(key);
  await master.kill();
  await cluster.promoted(key, master);
  await recovered(context);
  await master.restart();
  await context.rest(SOON_MS);
  await context.caughtUp(RECOVERY_MS);
};

/** Channels move between masters while they are in use, without loss. */
export const slotMoved: Scenario['run'] = async (context: ScenarioContext) => {
  const { cluster } = context.system.redis;
  for (let round = 0; round < 3; round += 1) {
    await context.rest(SOON_MS);
    const key = someProject(context);
    const from = await cluster.masterOf(key);
    const others = (await cluster.masters()).filter((master) => master !== from);
    await cluster.moveSlot(key, context.random.pick(others));
    await context.caughtUp(RECOVERY_MS);
  }
};

async function recovered(context: ScenarioContext): Promise<void> {
  for (const gateway of context.system.gateways) await context.isReady(gateway, RECOVERY_MS);
  await context.caughtUp(RECOVERY_MS);
}

/** Any key in the slot of a project's channel. */
function someProject({ plan, random }: ScenarioContext): string {
  const projects = plan.channels.filter(({ channel }) => channel.startsWith('project:'));
  return `{${random.pick(projects).channel}}`;
}
