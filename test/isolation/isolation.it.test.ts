import { post, RawClient, SocketClient, wsUrl } from '@leque/lab';
import { type Cluster, startCluster, startRedis, TEST_API_KEY } from '@leque/testkit';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { SEED } from '../support/fuzz-inputs.ts';
import { Audit, type Received } from './audit.ts';
import { presentGrants } from './grants.ts';
import { Random } from './random.ts';
import { read } from './reads.ts';
import { channelFor, MEMBERS, mayRead, type Persona, PROJECTS } from './world.ts';
import { write } from './writes.ts';

/** `ISOLATION_ATTEMPTS=100000 FUZZ_SEED=1 npm test -- isolation` is the long run. */
const ATTEMPTS = Number(process.env['ISOLATION_ATTEMPTS'] || 2_000);
const TIMEOUT_MS = 30_000 + ATTEMPTS * 10;

/** A client that stays connected, and is audited as long as it lives. */
interface Listener extends AsyncDisposable {
  readonly persona: Persona;
  /** Whether it gets the events for everybody. */
  readonly hearsAll: boolean;
  /** Takes what arrived since the last call. */
  take(): readonly Received[];
}

test(
  `[ISO] [GR1] [GR2.1] nobody reads or writes what its rights do not cover, whatever grants it presents, seed ${SEED}`,
  async () => {
    await using redis = await startRedis();
    const env = { AUTH_MODE: 'required', REDIS_URL: redis.url, LOG_LEVEL: 'error' };
    await using cluster = await startCluster({ gateways: 2, env });
    await using stack = new AsyncDisposableStack();
    const client = stack.adopt(new Redis(redis.url), (open) => open.disconnect());
    const audit = new Audit();
    const random = new Random(SEED);
    const listeners = await listen(cluster, stack);
    const common = { publishUrl: cluster.publisher.url, audit, random };
    const writing = { ...common, redis: client, prefix: cluster.prefix };
    const reading = { ...common, gatewayUrls: cluster.gateways.map(({ url }) => url) };
    const ended = new Set<Listener>();
    const auditAll = () => {
      for (const listener of listeners) {
        for (const each of listener.take()) {
          audit.received(listener.persona, each);
          if (each.type === 'end' || each.event === 'end') ended.add(listener);
        }
      }
      return ended.size;
    };
    while (audit.attempts < ATTEMPTS && audit.violations.length === 0) {
      const writes = [write(writing), write(writing), write(writing)];
      await Promise.all([...writes, read(reading), presentGrants(reading)]);
      auditAll();
    }
    await publishEnd(cluster);
    await expect.poll(auditAll).toBe(listeners.filter(({ hearsAll }) => hearsAll).length);
    process.stdout.write(
      `isolation: FUZZ_SEED=${SEED}, ${audit.attempts} attempts, ${audit.granted} granted, ` +
        `${audit.deliveries} deliveries audited, ${audit.violations.length} violations\n`,
    );
    expect(audit.violations).toEqual([]);
    expect(audit.granted).toBeGreaterThan(ATTEMPTS / 20);
    expect(audit.granted).toBeLessThan(audit.attempts);
    expect(audit.deliveries).toBeGreaterThan(ATTEMPTS / 10);
  },
  TIMEOUT_MS,
);

/** Every member at every endpoint that is open to it, and by both protocols. */
async function listen(cluster: Cluster, stack: AsyncDisposableStack): Promise<Listener[]> {
  const opening = MEMBERS.flatMap((persona, at) => {
    const url = cluster.url(at % 2);
    const paths = [
      '/ws/notifications',
      ...PROJECTS.map((id) => `/ws/project/${encodeURIComponent(id)}`),
      '/ws/logs',
    ];
    const raw = paths
      .filter((path) => path === '/ws/notifications' || mayRead(persona, channelOf(path)))
      .map((path) => listenRaw(persona, wsUrl(url, path)));
    const sockets =
      persona.user === undefined ? [] : [true, false].map((all) => listenSocket(persona, url, all));
    return [...raw, ...sockets];
  });
  const listeners = await Promise.all(opening);
  for (const listener of listeners) stack.use(listener);
  return listeners;
}

function channelOf(path: string): string {
  const id = path.split('/ws/project/')[1];
  if (id !== undefined) return channelFor('project', decodeURIComponent(id));
  return path.replace('/ws/', '');
}

async function listenRaw(persona: Persona, url: string): Promise<Listener> {
  const client = await RawClient.connect(url, { token: String(persona.token) });
  return {
    persona,
    hearsAll: url.includes('/ws/notifications'),
    take: () => client.inbox.items.splice(0),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

async function listenSocket(persona: Persona, url: string, projects: boolean): Promise<Listener> {
  const client = await SocketClient.connect(url, { auth: { token: persona.token, projects } });
  return {
    persona,
    hearsAll: true,
    take: () => client.inbox.items.splice(0).map(({ payload }) => payload),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

/** Publishes for everybody; what was published before has mostly arrived when this has. */
async function publishEnd(cluster: Cluster): Promise<void> {
  const event = { type: 'end', channel: 'all', data: {} };
  await post(`${cluster.publisher.url}/api/publish`, event, { 'x-api-key': TEST_API_KEY });
}
