import type { Scenario } from '../run/scenario.ts';
import type { World } from '../run/scenario-context.ts';
import type { SystemNode } from '../target/system.ts';

const RECOVERY_MS = 15_000;
/** From a pod's end until proxies have heard that it gets nobody any more. */
const PROPAGATION_MS = 1000;
/** Of a gateway, after its drain. */
const LEAVE_MS = 10_000;

/**
 * Every gateway is replaced as a Deployment does it with `maxSurge: 1`, `maxUnavailable: 0`, and
 * the grace and the timeout of the drain as `minReadySeconds`: a new one is ready for as long as
 * a drain takes, then an old one is told to go, and the next new one comes. Nobody waits for it.
 */
export const rollingDeploy: Scenario['run'] = async (world: World) => {
  const { graceMs, timeoutMs } = world.system.drain;
  const endpoints = new Set(world.system.gateways);
  const route = () => world.front.route([...endpoints].map(({ server }) => server.url));
  const ends: Promise<void>[] = [];
  for (const old of world.random.shuffled(world.system.gateways)) {
    endpoints.add(await world.system.addGateway());
    await route();
    await world.rest(graceMs + timeoutMs);
    ends.push(end(old, world));
    await world.rest(PROPAGATION_MS);
    endpoints.delete(old);
    await route();
    await world.caughtUp(RECOVERY_MS);
  }
  await Promise.all(ends);
};

/** Killed when it takes too long, as Kubernetes does. */
async function end({ id, server }: SystemNode, world: World): Promise<void> {
  const { graceMs, timeoutMs } = world.system.drain;
  const startedAt = performance.now();
  const { code, signal } = await server.stop('SIGTERM', graceMs + timeoutMs + LEAVE_MS);
  world.notes.push(`${id} ended in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  if (code !== 0) world.violations.push(`${id} ended with ${signal ?? code}:\n${server.output}`);
}
