import type { FaultProxy } from '@leque/testkit';
import type { Scenario } from '../../run/scenario.ts';
import type { ScenarioContext } from '../../run/scenario-context.ts';
import type { SystemNode } from '../../target/system.ts';

const NOTICED_MS = 5000;
const RECOVERY_MS = 15_000;

const FAULTS: Readonly<Record<string, (link: FaultProxy) => void>> = {
  cut: (link) => link.refuse(),
  stalled: (link) => link.stall(),
  'half-open': (link) => link.halfOpen(),
};
type Fault = 'cut' | 'stalled' | 'half-open';

/** Breaks gateways' connections to Redis; long faults must show in their readiness. */
export function breakRedisLink(
  faults: readonly Fault[],
  durationsMs: readonly number[],
): Scenario['run'] {
  return async (context: ScenarioContext) => {
    const rounds = faults.flatMap((fault) =>
      durationsMs.map((durationMs) => ({ fault, durationMs })),
    );
    for (const { fault, durationMs } of context.random.shuffled(rounds)) {
      const gateway = context.random.pick(context.system.gateways);
      await context.rest(context.random.between(500, 1500));
      FAULTS[fault]?.(gateway.link);
      const over = performance.now() + durationMs;
      if (durationMs > NOTICED_MS) await unreadyAlone(context, gateway);
      await context.rest(Math.max(over - performance.now(), 0));
      gateway.link.restore();
      // A gateway that has not recovered would be broken twice, which is another test.
      if (!(await context.isReady(gateway, RECOVERY_MS))) return;
      await context.caughtUp(RECOVERY_MS);
    }
  };
}

async function unreadyAlone(context: ScenarioContext, gateway: SystemNode): Promise<void> {
  const unready = async () => (await gateway.readiness()) === 503;
  await context.expect(`${gateway.id} reports that it is not ready`, unready, NOTICED_MS);
  const others = context.system.gateways.filter((other) => other !== gateway);
  for (const other of others) await context.isReady(other, NOTICED_MS);
}
