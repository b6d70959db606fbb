import { fileURLToPath, pathToFileURL } from 'node:url';
import { freePorts } from '@leque/testkit';
import { formatsOf, gatherClients } from './clients.ts';
import { eventTemplate } from './event.ts';
import { type ChannelClass, type Generator, startGenerator } from './generator.ts';
import type { RunContext, ServerFacts } from './measurement.ts';
import { type OwnRedis, startOwnRedis } from './own-redis.ts';
import type { RunningTarget, Target } from './target.ts';
import { acquiredWithin } from './within.ts';
import type { FanOutSetup, IdleSetup } from './workloads.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** A target may have this many ports from its own on. */
const PORTS = 10;
const START_SECONDS = 60;
const CONNECT_SECONDS = 90;
/** Of so many connections one is looked at closely. */
const SAMPLE = 8;
const CONNECT_BATCH = 64;

/** A Redis and a server, for one setup of one target. */
export interface Scene extends AsyncDisposable {
  readonly redis: OwnRedis;
  readonly server: RunningTarget;
  readonly target: Target;
}

export async function setScene(
  target: Target,
  setup: FanOutSetup | IdleSetup,
  { signal, settings = {} }: RunContext & { readonly settings?: Readonly<Record<string, string>> },
): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startOwnRedis());
  const starting = target.start({
    redis,
    port: await freePorts(PORTS),
    channels: setup.channels,
    settings,
    ...(setup.kind === 'fan-out' && { personal: setup.personal }),
    ...(setup.heartbeatSeconds !== undefined && { heartbeatSeconds: setup.heartbeatSeconds }),
  });
  const what = `the start of ${target.name}`;
  const server = stack.use(
    await acquiredWithin(starting, { what, seconds: START_SECONDS, signal }),
  );
  const owner = stack.move();
  return { redis, server, target, [Symbol.asyncDispose]: () => owner.disposeAsync() };
}

/** @throws Error when not all connections could be made */
export async function connectAll(
  { server, target }: Scene,
  setup: FanOutSetup | IdleSetup,
  { signal }: RunContext,
): Promise<Generator> {
  const { connections, channels, channelsOf, mix } = setup;
  const formats = formatsOf(target, mix) ?? [];
  const clients = gatherClients(server, { connections, channelsOf, formats });
  const connecting = startGenerator({
    addresses: server.addresses,
    ...clients,
    publishing: server.publishing,
    publications: Array.from({ length: channels }, (_, channel) =>
      server.publication(channel, eventTemplate(channel)),
    ),
    classes: classesOf(setup),
    sample: server.coalesces ? 1 : SAMPLE,
    rest: setup.kind === 'idle' ? 'frames' : setup.rest,
    stalled: setup.kind === 'idle' ? 0 : setup.stalled,
    connectBatch: CONNECT_BATCH,
  });
  const wait = { what: 'connecting', seconds: CONNECT_SECONDS, signal };
  const generator = await acquiredWithin(connecting, wait);
  const { failed, reason = 'no reason given' } = generator.ready;
  if (failed === 0) return generator;
  await generator[Symbol.asyncDispose]();
  throw new Error(`${failed} of ${connections} connections could not be made: ${reason}`);
}

/** For the report; where this repository is on the machine does not matter there. */
export function factsOf({ server, redis }: Scene): ServerFacts {
  return {
    versions: { ...server.versions, redis: redis.version },
    flags: server.flags.replaceAll(pathToFileURL(ROOT).href, '').replaceAll(ROOT, ''),
  };
}

function classesOf(setup: FanOutSetup | IdleSetup): ChannelClass[] {
  if (setup.kind === 'idle') return [{ first: 0, last: setup.channels - 1 }];
  return setup.parts.map(({ firstChannel: first, lastChannel: last }) => ({ first, last }));
}
