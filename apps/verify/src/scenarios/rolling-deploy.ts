import type { Scenario } from '../run/scenario.ts';
import type { ScenarioContext } from '../run/scenario-context.ts';
import type { SystemNode } from '../target/system.ts';

const RECOVERY_MS = 15_000;
/** Time until load balancers stop sending clients to a terminating pod. */
const PROPAGATION_MS = 1000;
/** Time for a gateway to end after its drain. */
const LEAVE_MS = 10_000;

/**
 * Replaces every gateway as a Deployment does with `maxSurge: 1`, `maxUnavailable: 0` and the
 * duration of a drain as `minReadySeconds`: a new gateway has been ready for that time before an
 * old one is terminated, and the next new one starts without waiting for its end.
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

/** Terminates a gateway, and kills it when it takes too long, as Kubernetes does. */
async function end({ id, server }: SystemNode, context: ScenarioContext): Promise<void> {
  const { graceMs, timeoutMs } = context.system.drain;
  const startedAt = performance.now();
  const { code, signal } = await server.stop('SIGTERM', graceMs + timeoutMs + LEAVE_MS);
  context.notes.push(`${id} ended in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  if (code !== 0) context.violations.push(`${id} ended with ${signal ?? code}:\n${server.output}`);
}
