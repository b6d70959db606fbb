import type { Random } from '@leque/testkit';
import type { Scenario } from '../run/scenario.ts';
import type { ScenarioContext } from '../run/scenario-context.ts';
import { badLinks } from './bad-links.ts';
import { freezeGateway } from './freeze-gateway.ts';
import { killPublisher } from './kill-publisher.ts';
import { breakRedisLink } from './redis/break-redis-link.ts';
import { restartRedis } from './redis/restart-redis.ts';
import { Leftovers } from './soak/leftovers.ts';
import { MemoryLog } from './soak/memory-log.ts';

const MS_PER_MINUTE = 60_000;
const COUNTS_MS = 10_000;
const RECOVERY_MS = 15_000;
/** Short lifetimes, so that the keys of the first minutes are gone in the last ones. */
const SETTINGS = { IDEMPOTENCY_TTL: '60', HISTORY_PROJECT_TTL: '60', HISTORY_USER_TTL: '60' };

/** Random faults for this time, followed by a search for leftovers. */
export function soakScenario(minutes: number): Scenario {
  const leftovers = new Leftovers();
  return {
    name: 'soak',
    about: `a random mix of faults for ${minutes} minutes; nothing is left behind`,
    breaks: 'system',
    resyncs: 'never',
    redis: 'standalone',
    system: { appendonly: true, settings: SETTINGS },
    sizes: { longBytes: 0 },
    before: (system) => leftovers.remember(system),
    run: (context) => soak(context, minutes),
    after: (context) => leftovers.compare(context),
  };
}

async function soak(context: ScenarioContext, minutes: number): Promise<void> {
  const over = performance.now() + minutes * MS_PER_MINUTE;
  const memory = new MemoryLog(context.system);
  while (performance.now() < over) {
    await pickFault(context.random)(context);
    await context.caughtUp(RECOVERY_MS);
    await context.countsRight(COUNTS_MS);
    await memory.sample();
  }
  context.notes.push(...memory.lines());
  context.violations.push(...memory.growth());
}

function pickFault(random: Random): Scenario['run'] {
  return random.pick([
    killOneOfTwo,
    freezeGateway(5000),
    breakRedisLink(['cut', 'stalled', 'half-open'], [random.between(1000, 12_000)]),
    restartRedis,
    killPublisher(1),
    badLinks(1),
  ]);
}

/** The last gateway is never killed, so that its memory shows leaks. */
async function killOneOfTwo(context: ScenarioContext): Promise<void> {
  const gateway = context.random.pick(context.system.gateways.slice(0, -1));
  await gateway.server.kill();
  await context.caughtUp(RECOVERY_MS);
  await gateway.server.restart();
}
