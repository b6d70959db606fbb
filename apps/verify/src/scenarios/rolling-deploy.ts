import type { Scenario } from '../run/scenario.ts';
import type { ScenarioContext } from '../run/scenario-context.ts';
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
export const rollingDeploy: Scenario['run'] = async (context: ScenarioContext) => {
  const { graceMs, timeoutMs } = context.system.drain;
  const endpoints = new Set(context.system.gateways);
  const route = () => context.loadBalancer.route([...endpoints].map(({ server }) => server.url));
  const ends: Promise<void>[] = [];
  for (const old of context.random.shuffled(context.system.gateways)) {
    endpoints.add(await context.system.addGateway());
    await route();
    await context.rest(graceMs + timeoutMs);
    ends.push(end(old, context));
    await context.rest(PROPAGATION_MS);
    endpoints.delete(old);
    await route();
    await context.caughtUp(RECOVERY_MS);
  }
  await Promise.all(ends);
};

/** Killed when it takes too long, as Kubernetes does. */
async function end({ id, server }: SystemNode, context: ScenarioContext): Promise<void> {
  const { graceMs, timeoutMs } = context.system.drain;
  const startedAt = performance.now();
  const { code, signal } = await server.stop('SIGTERM', graceMs + timeoutMs + LEAVE_MS);
  context.notes.push(`${id} ended in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  if (code !== 0) context.violations.push(`${id} ended with ${signal ?? code}:\n${server.output}`);
}
