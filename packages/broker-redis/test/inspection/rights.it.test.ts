import {
  startRedis,
  startRedisCluster,
  startSentinel,
  type TestRedis,
  uniquePrefix,
} from '@leque/testkit';
import { describeOnOwnRedis, describeOnRedisServers } from '@leque/testkit/contracts';
import { makeEvent, upTo } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { neededCommands, type Rights, type Sample } from '../../src/inspection/rights.ts';
import { openRedis } from '../../src/open-redis.ts';
import { areCounted, begin } from '../support/duties.ts';
import { command } from '../support/foreign-service.ts';
import { settingsFor, startNode } from '../support/redis-node.ts';

const TIMEOUT = { timeout: 60_000 };
const PATIENCE = { timeout: 15_000 };
const P = 'project:P';
const APPS = ['gateway', 'publisher'] as const;
/** Commands whose subcommands are allowed one by one. */
const CONTAINERS = ['FUNCTION', 'CLIENT', 'CLUSTER'];
/** Redis allows a pattern by its very words. */
const ofSocketIo = (prefix: string) =>
  ['socket.io#/#*', 'socket.io#/events#*'].map((pattern) => `&${prefix}${pattern}`);

const as = (user: string, url: string) => url.replace('://', `://${user}:secret@`);
const nameOf = ([name, part]: Sample) => (CONTAINERS.includes(name) ? `${name}|${part}` : name);

async function allow(servers: readonly TestRedis[], user: string, rights: readonly string[]) {
  for (const { url } of servers) {
    const set = await command(url, 'ACL', 'SETUSER', user, 'reset', 'on', '>secret', ...rights);
    expect(set).toBe('OK');
  }
}

/** A user for each app that may run the commands looked for, and nothing else. */
async function allowWhatIsNeeded(servers: readonly TestRedis[], rights: Omit<Rights, 'app'>) {
  const { prefix } = rights;
  for (const app of APPS) {
    const names = new Set(neededCommands({ app, ...rights }).map(nameOf));
    const commands = [...names].map((name) => `+${name.toLowerCase()}`);
    await allow(servers, app, [`~${prefix}*`, `&${prefix}*`, ...ofSocketIo(prefix), ...commands]);
  }
}

async function doAll(url: string, prefix: string): Promise<void> {
  await using gateway = await startNode({ url: as('gateway', url), prefix });
  await using publisher = await startNode({
    url: as('publisher', url),
    prefix,
    receives: false,
  });
  const start = await begin(gateway);
  const publish = (n: number) =>
    publisher.broker.publish(makeEvent(P, { n }, { idempotency_key: String(n) }));
  for (const n of [1, 2, 2]) await publish(n);
  await expect.poll(() => gateway.sink.numbers('firehose'), PATIENCE).toEqual([1, 2]);
  expect(gateway.sink.numbers(P)).toEqual([1, 2]);
  expect((await gateway.broker.history(P, start, upTo(10))).publications).toHaveLength(2);
  expect((await publisher.broker.history(P, undefined, upTo(10))).publications).toHaveLength(2);
  await areCounted(gateway, publisher);
  gateway.state.setUserConnections('ana', 0);
  gateway.state.setSubscribers(P, 0);
  await gateway.broker.unsubscribe(P);
  const projects = async () => (await publisher.state.stats()).connections_per_project;
  await expect.poll(projects, PATIENCE).toEqual({});
  for (const node of [gateway, publisher]) {
    await expect.poll(() => node.broker.health(), PATIENCE).toEqual({ ok: true });
  }
  await gateway.state.close();
  for (const { telemetry } of [gateway, publisher]) {
    expect([...telemetry.of('failure'), ...telemetry.of('broker_refused')]).toEqual([]);
  }
}

/** The refused commands that an inspection finds. */
async function inspect(url: string, prefix: string, app: Rights['app']) {
  const context = { nodeId: 'check', telemetry: { report: () => {} } };
  const redis = openRedis(settingsFor(url, prefix), context);
  try {
    await redis.connect();
    return await redis.inspect(app);
  } finally {
    await redis.close();
  }
}

describeOnOwnRedis('the rights that an inspection looks for', () => {
  test('suffice for everything that Leque does', TIMEOUT, async () => {
    await using redis = await startRedis({ own: true });
    const prefix = uniquePrefix();
    await allowWhatIsNeeded([redis], { prefix, inCluster: false });
    await doAll(redis.url, prefix);
    for (const app of APPS) {
      const { servers } = await inspect(as(app, redis.url), prefix, app);
      expect(servers).toMatchObject([{ refused: [], bufferLimits: undefined }]);
    }
  });

  test.for(APPS)('[HON] are named when a %s lacks them', TIMEOUT, async (app) => {
    await using redis = await startRedis({ own: true });
    const prefix = uniquePrefix();
    const commands = neededCommands({ app, prefix, inCluster: false });
    const names = new Set(commands.map(nameOf));
    await allow([redis], 'default', ['nopass', '~*', '&*', '+@all']);
    await inspect(redis.url, prefix, app); // loads the functions
    for (const name of ['FUNCTION|LIST', 'FUNCTION|LOAD', 'PING']) names.delete(name); // cannot start
    for (const name of names) {
      await allow([redis], 'lacking', ['~*', '&*', '+@all', `-${name.toLowerCase()}`]);
      const { servers } = await inspect(as('lacking', redis.url), prefix, app);
      const [verb = ''] = name.split('|');
      expect(servers[0]?.refused, name).toEqual([expect.stringContaining(verb)]);
    }
    await allow([redis], 'lacking', [`~${prefix}*`, '&other:*', '+@all']);
    const { servers } = await inspect(as('lacking', redis.url), prefix, app);
    expect(servers[0]?.refused.join()).toContain(`SUBSCRIBE ${prefix}control`);
    expect(servers[0]?.refused.join()).not.toContain('XADD');
  });
});

describeOnRedisServers('an inspection of several servers', () => {
  test('looks for rights that suffice in a Redis Cluster', TIMEOUT, async () => {
    await using redis = await startRedisCluster();
    const prefix = uniquePrefix();
    await allowWhatIsNeeded(redis.nodes, { prefix, inCluster: true });
    await doAll(redis.url, prefix);
    const { servers } = await inspect(as('gateway', redis.url), prefix, 'gateway');
    expect(servers.map(({ refused }) => refused)).toEqual([[], [], []]);
  });

  test('[HON] names a sentinel that is away, or refuses to answer', TIMEOUT, async () => {
    await using redis = await startSentinel();
    const [first, second, third] = redis.sentinels;
    await first?.kill();
    await command(second?.url ?? '', 'ACL', 'SETUSER', 'default', '-subscribe');
    const { servers, sentinels } = await inspect(redis.url, uniquePrefix(), 'gateway');
    const { port } = await redis.master();
    expect(servers).toMatchObject([{ server: `127.0.0.1:${port}`, refused: [] }]);
    expect(sentinels).toEqual([
      {
        sentinel: `127.0.0.1:${first?.port}`,
        problem: expect.stringMatching(/does not answer .*ECONNREFUSED/),
        away: true,
      },
      {
        sentinel: `127.0.0.1:${second?.port}`,
        problem: expect.stringContaining('NOPERM'),
        away: false,
      },
      { sentinel: `127.0.0.1:${third?.port}`, problem: undefined, away: false },
    ]);
  });
});
