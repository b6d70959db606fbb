import type { Scenario } from '../run/scenario.ts';
import type { World } from '../run/scenario-context.ts';

const RECOVERY_MS = 30_000;
const SOON_MS = 3000;

/** The master is killed, its replica takes over, and the old one comes back as a replica. */
export const sentinelFailover: Scenario['run'] = async (world: World) => {
  const { sentinel } = world.system.redis;
  await world.rest(SOON_MS);
  const master = await sentinel.master();
  await master.kill();
  await sentinel.promoted(master);
  await recovered(world);
  await master.restart();
  await world.rest(SOON_MS);
  await world.caughtUp(RECOVERY_MS);
};

/** The same with the one of three masters that has the channel of a project. */
export const clusterMasterKilled: Scenario['run'] = async (world: World) => {
  const { cluster } = world.system.redis;
  await world.rest(SOON_MS);
  const key = someProject(world);
  const master = await cluster.masterOf(key);
  await master.kill();
  await cluster.promoted(key, master);
  await recovered(world);
  await master.restart();
  await world.rest(SOON_MS);
  await world.caughtUp(RECOVERY_MS);
};

/** Channels move from one master to another while they are in use; nothing is lost by that. */
export const slotMoved: Scenario['run'] = async (world: World) => {
  const { cluster } = world.system.redis;
  for (let round = 0; round < 3; round += 1) {
    await world.rest(SOON_MS);
    const key = someProject(world);
    const from = await cluster.masterOf(key);
    const others = (await cluster.masters()).filter((master) => master !== from);
    await cluster.moveSlot(key, world.random.pick(others));
    await world.caughtUp(RECOVERY_MS);
  }
};

async function recovered(world: World): Promise<void> {
  for (const gateway of world.system.gateways) await world.isReady(gateway, RECOVERY_MS);
  await world.caughtUp(RECOVERY_MS);
}

/** Any key in the slot of a project's channel. */
function someProject({ plan, random }: World): string {
  const projects = plan.lanes.filter(({ channel }) => channel.startsWith('project:'));
  return `{${random.pick(projects).channel}}`;
}
