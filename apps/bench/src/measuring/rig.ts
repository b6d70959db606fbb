import { fileURLToPath, pathToFileURL } from 'node:url';
import { freePorts } from '@leque/testkit';
import {
  type ChannelClass,
  type Generator,
  type GeneratorSpec,
  startGenerator,
} from '../load/generator.ts';
import type { ServerFacts } from '../results/measurement.ts';
import type { RunningTarget, Target } from '../targets/target.ts';
import { eventTemplate } from '../workloads/event.ts';
import type { FanOutSetup, IdleSetup } from '../workloads/setups.ts';
import { describeClients, formatsOf } from './connections.ts';
import { acquiredWithin } from './deadline.ts';
import { DutyCycle } from './duty-cycle.ts';
import { type OwnRedis, startOwnRedis } from './own-redis.ts';
import type { RunContext } from './run-context.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
/** How many consecutive ports a target may use. */
const PORTS = 10;
const START_SECONDS = 60;
const CONNECT_SECONDS = 90;
/** The generator parses one connection fully among this number of them. */
const SAMPLE = 8;
const CONNECT_BATCH = 64;
/** The upper bound of Retry-After, in milliseconds. */
const RETRY_MS = 5000;

/** A Redis and a server that are started for one setup of one target. */
export interface Rig extends AsyncDisposable {
  readonly redis: OwnRedis;
  readonly server: RunningTarget;
  readonly target: Target;
}

export async function buildRig(
  target: Target,
  setup: FanOutSetup | IdleSetup,
  {
    signal,
    dutyCycle,
    settings = {},
  }: RunContext & { readonly settings?: Readonly<Record<string, string>> },
): Promise<Rig> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startOwnRedis());
  const starting = target.start({
    redis,
    port: await freePorts(PORTS),
    channels: setup.channels,
    settings,
    ...(setup.kind === 'fan-out' && {
      personal: setup.personal,
      storm: setup.storm !== undefined,
    }),
    ...(setup.heartbeatSeconds !== undefined && { heartbeatSeconds: setup.heartbeatSeconds }),
  });
  const what = `the start of ${target.name}`;
  const server = stack.use(
    await acquiredWithin(starting, { what, seconds: START_SECONDS, signal }),
  );
  if (dutyCycle !== undefined) stack.use(new DutyCycle(server.pids, dutyCycle));
  const owner = stack.move();
  return { redis, server, target, [Symbol.asyncDispose]: () => owner.disposeAsync() };
}

/** @throws Error when a connection could not be made */
export function connectAll(
  rig: Rig,
  setup: FanOutSetup | IdleSetup,
  context: RunContext,
): Promise<Generator> {
  const spec = { ...specOf(rig, setup), connectBatch: CONNECT_BATCH, retryMs: 0 };
  return connect(spec, context);
}

/**
 * Connects more clients at once, to the last channel; refused clients retry.
 * @throws Error when a connection could not be made
 */
export function connectStorm(
  rig: Rig,
  { connections, setup }: { readonly connections: number; readonly setup: FanOutSetup },
  context: RunContext,
): Promise<Generator> {
  const channel = setup.channels - 1;
  const storm = { ...setup, connections, stalled: 0, channelsOf: () => [channel] };
  const spec = { ...specOf(rig, storm), connectBatch: connections, retryMs: RETRY_MS };
  return connect(spec, context);
}

async function connect(spec: GeneratorSpec, { signal }: RunContext): Promise<Generator> {
  const wait = { what: 'connecting', seconds: CONNECT_SECONDS, signal };
  const generator = await acquiredWithin(startGenerator(spec), wait);
  const { failed, reason = 'no reason given' } = generator.ready;
  if (failed === 0) return generator;
  await generator[Symbol.asyncDispose]();
  throw new Error(`${failed} of ${spec.members.length} connections could not be made: ${reason}`);
}

function specOf({ server, target }: Rig, setup: FanOutSetup | IdleSetup) {
  const { connections, channels, channelsOf, mix } = setup;
  const formats = formatsOf(target, mix) ?? [];
  return {
    addresses: server.addresses,
    ...describeClients(server, { connections, channelsOf, formats }),
    publishing: server.publishing,
    publications: Array.from({ length: channels }, (_, channel) =>
      server.publication(channel, eventTemplate(channel)),
    ),
    classes: classesOf(setup),
    sample: server.coalesces ? 1 : SAMPLE,
    rest: setup.kind === 'idle' ? 'frames' : setup.rest,
    stalled: setup.kind === 'idle' ? 0 : setup.stalled,
  } as const;
}

/** Versions and flags for the report, without the path of this repository. */
export function factsOf({ server, redis }: Rig): ServerFacts {
  return {
    versions: { ...server.versions, redis: redis.version },
    flags: server.flags.replaceAll(pathToFileURL(ROOT).href, '').replaceAll(ROOT, ''),
  };
}

function classesOf(setup: FanOutSetup | IdleSetup): ChannelClass[] {
  if (setup.kind === 'idle') return [{ first: 0, last: setup.channels - 1 }];
  return setup.parts.map(({ firstChannel: first, lastChannel: last }) => ({ first, last }));
}
