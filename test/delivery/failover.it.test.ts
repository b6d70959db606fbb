import { get, RawClient, SocketClient, tokenFor, wsUrl } from '@leque/lab';
import { startCluster, startRedisCluster, startSentinel, TEST_API_KEY } from '@leque/testkit';
import { describeOnRedisServers } from '@leque/testkit/contracts';
import { expect, test } from 'vitest';
import { NumberedLoad, type Seen, violations } from '../support/numbered-load.ts';

const TIMEOUT = { timeout: 180_000 };
const PATIENCE = { timeout: 60_000 };
const PROJECT = 'PROJ-failover';
/** Number of publications before a fault, and again after it. */
const SOME = 100;

/** Two gateways and a publisher under load, with clients of both protocols on each gateway. */
async function startUnderLoad(redisUrl: string) {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await startCluster({ gateways: 2, env: { REDIS_URL: redisUrl } }));
  const token = tokenFor('ana', { projects: [PROJECT] });
  const clients: (() => Seen[])[] = [];
  for (const { url } of cluster.gateways) {
    const raw = stack.use(await RawClient.connect(wsUrl(url, '/ws/notifications'), { token }));
    await raw.subscribe(PROJECT);
    clients.push(() =>
      raw.events.flatMap(({ type, channel, data }) => seenOf(type, channel, data)),
    );
    const socket = stack.use(await SocketClient.connect(url, { token }));
    socket.socket.emit('subscribe.project', { project_id: PROJECT });
    await socket.first('subscribed.project');
    clients.push(() =>
      socket.events.flatMap(({ name, payload }) =>
        seenOf(name, payload['channel'], payload['data']),
      ),
    );
  }
  const load = stack.use(
    new NumberedLoad({
      publisherUrl: cluster.publisher.url,
      apiKey: TEST_API_KEY,
      project: PROJECT,
    }),
  );
  const more = async () => {
    const enough = load.stored + SOME;
    await expect.poll(() => load.stored, PATIENCE).toBeGreaterThan(enough);
  };
  const audit = async () => {
    await more();
    for (const { url } of [...cluster.gateways, cluster.publisher]) {
      await expect.poll(async () => (await get(`${url}/readyz`)).status, PATIENCE).toBe(200);
    }
    const last = await load.stop();
    for (const seen of clients) {
      await expect.poll(() => seen().findLast(isNumber)?.n, PATIENCE).toBe(last);
      expect(violations(seen(), load)).toEqual([]);
    }
  };
  const resyncs = () => clients.flatMap((seen) => seen().filter((each) => each === 'resync'));
  await more();
  const owner = stack.move();
  const key = `${cluster.prefix}{project:${PROJECT}}`;
  return { key, audit, resyncs, more, [Symbol.asyncDispose]: () => owner.disposeAsync() };
}

describeOnRedisServers('under load, a failover', () => {
  test(
    '[ORD] [DUP] [GAP] [ACK] by Sentinel delivers everything to clients in order, or a resync',
    TIMEOUT,
    async () => {
      await using redis = await startSentinel();
      await using system = await startUnderLoad(redis.url);
      await redis.failover();
      await system.more();
      const killed = await redis.master();
      await killed.kill();
      await redis.promoted(killed);
      await killed.restart();
      await redis.settled();
      await system.more();
      const frozen = await redis.master();
      await frozen.pause();
      await redis.promoted(frozen);
      await frozen.resume();
      await redis.settled();
      await system.audit();
    },
  );

  test(
    '[ORD] [DUP] [GAP] [ACK] in a Redis Cluster delivers everything to clients in order, or a resync',
    TIMEOUT,
    async () => {
      await using redis = await startRedisCluster();
      await using system = await startUnderLoad(redis.url);
      const { key } = system;
      const killed = await redis.masterOf(key);
      await killed.kill();
      await redis.promoted(key, killed);
      await killed.restart();
      await redis.settled();
      await system.more();
      const frozen = await redis.masterOf(key);
      await frozen.pause();
      await redis.promoted(key, frozen);
      await frozen.resume();
      await redis.settled();
      await system.audit();
    },
  );

  test(
    '[ORD] [DUP] [GAP] [ACK] and slot moves by the operator of a Redis Cluster lose nothing',
    TIMEOUT,
    async () => {
      await using redis = await startRedisCluster();
      await using system = await startUnderLoad(redis.url);
      const { key } = system;
      const first = await redis.masterOf(key);
      const others = (await redis.masters()).filter((master) => master !== first);
      for (const target of [...others, first]) {
        await redis.moveSlot(key, target);
        await system.more();
      }
      await redis.failover(key);
      await system.audit();
      expect(system.resyncs()).toEqual([]);
    },
  );
});

function seenOf(type: string, channel: unknown, data: unknown): Seen[] {
  if (type === 'resync') return channel === `project:${PROJECT}` ? ['resync'] : [];
  return type === 'numbered' ? [{ n: (data as { n: number }).n }] : [];
}

function isNumber(seen: Seen): seen is { n: number } {
  return seen !== 'resync';
}
