import { hs256, inSeconds, RawClient } from '@leque/lab';
import { freePorts } from '@leque/testkit';
import type { Measurement } from '../results/measurement.ts';
import { NO_FAULTS, verdictOf } from '../results/verdict.ts';
import type { Target } from '../targets/target.ts';
import type { SubscribeSetup } from '../workloads/setups.ts';
import { CpuMeter } from './cpu-meter.ts';
import { acquiredWithin, within } from './deadline.ts';
import { startOwnRedis } from './own-redis.ts';
import type { RunContext } from './run-context.ts';

const START_SECONDS = 60;
const ROUND_SECONDS = 120;
/** How many consecutive ports a target may use. */
const PORTS = 10;
const LIFETIME_S = 86_400;
/** Clients subscribe as fast as they are answered. */
const NO_PACE = { COMMAND_RATE: '10000', COMMAND_BURST: '10000', INPUT_RATE: '10000' };

/** The commands of one client are made before the measured time begins. */
interface Subscriber {
  readonly token: string;
  readonly commands: readonly object[];
}

/**
 * Lets clients subscribe to the same projects, twice: the first round warms the server up, and shows it the
 * grants that count as known.
 */
export async function* measureSubscribes(
  target: Target,
  setup: SubscribeSetup,
  { signal }: RunContext,
): AsyncGenerator<Measurement> {
  await using redis = await startOwnRedis();
  const port = await freePorts(PORTS);
  const starting = target.start({ redis, port, channels: setup.projects, settings: NO_PACE });
  const what = `the start of ${target.name}`;
  await using server = await acquiredWithin(starting, { what, seconds: START_SECONDS, signal });
  const url = `ws://${server.addresses[0]}/ws/notifications`;
  const meter = new CpuMeter({ server: server.pids, redis: redis.pids });
  const wait = { what: 'a round of subscribes', seconds: ROUND_SECONDS, signal };
  const early = subscribersOf(setup, 1);
  await within(subscribeAll(url, early), wait);
  const subscribers = setup.right === 'known grant' ? early : subscribersOf(setup, 2);
  const { seconds, refused } = await within(subscribeAll(url, subscribers, meter), wait);
  const count = setup.connections * setup.projects;
  yield {
    step: setup.steps[0]?.label ?? '',
    part: '',
    offeredPerSecond: 0,
    ...verdictOf({ ...NO_FAULTS, lost: refused }),
    figures: {
      subscribesPerSecond: count / seconds,
      ...meter.figures(seconds, count, 'Subscribe'),
    },
    histogram: [],
    counts: { subscribed: count - refused, refused },
    server: { versions: { ...server.versions, redis: redis.version }, flags: server.flags },
  };
}

/** @param round makes the grants of this round differ from those of another */
function subscribersOf(setup: SubscribeSetup, round: number): readonly Subscriber[] {
  const exp = inSeconds(LIFETIME_S) + round;
  const projects = Array.from({ length: setup.projects }, (_, project) => `board-${project}`);
  const byToken = setup.right === 'token';
  return Array.from({ length: setup.connections }, (_, index) => {
    const sub = `user-${index}`;
    const token = hs256({ sub, projects: byToken ? projects : [], exp });
    const commands = projects.map((project_id) => {
      const grant = byToken ? undefined : hs256({ use: 'grant', sub, projects: [project_id], exp });
      return { action: 'subscribe', project_id, grant };
    });
    return { token, commands };
  });
}

/** @returns the seconds between the first command and the last answer */
async function subscribeAll(
  url: string,
  subscribers: readonly Subscriber[],
  meter?: CpuMeter,
): Promise<{ readonly seconds: number; readonly refused: number }> {
  await using stack = new AsyncDisposableStack();
  const clients = await Promise.all(
    subscribers.map(async ({ token }) => stack.use(await RawClient.connect(url, { token }))),
  );
  meter?.start();
  const startedAt = performance.now();
  const refusals = await Promise.all(
    clients.map((client, at) => subscribeEach(client, subscribers[at]?.commands ?? [])),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  meter?.stop();
  return { seconds, refused: refusals.reduce((sum, count) => sum + count, 0) };
}

async function subscribeEach(client: RawClient, commands: readonly object[]): Promise<number> {
  let refused = 0;
  for (const command of commands) {
    const { type } = await client.ask(command);
    if (type !== 'subscribed') refused += 1;
    client.inbox.items.splice(0); // each look-up of an answer walks over all that came before
  }
  return refused;
}
