import {
  type ClientVersion,
  post,
  RawClient,
  SocketClient,
  type Transport,
  tokenFor,
  wsUrl,
} from '@leque/lab';
import {
  type Cluster,
  startCluster,
  startRedis,
  TEST_API_KEY,
  type TestRedis,
} from '@leque/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redisCommand } from '../support/redis-client.ts';
import { RoundRobin } from '../support/round-robin.ts';

const WITH_KEY = { authorization: `Bearer ${TEST_API_KEY}` };
/** A client waits for about a second before it reconnects. */
const BACK = { timeout: 10_000, interval: 25 };
const USER = { user_id: 'ana' };
const PROJECT = { project_id: 'P' };
const OTHER = { project_id: 'Q' };

/** Official clients lose their node and reconnect to another one. */
describe("Socket.IO's own connection state recovery", () => {
  let cluster: Cluster;
  let front: RoundRobin;
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
    const env = { HISTORY_USER_SIZE: '50', DRAIN_TIMEOUT: '0', DRAIN_GRACE: '0' };
    cluster = await startCluster({ gateways: 2, env: { REDIS_URL: redis.url, ...env } });
    front = await RoundRobin.start(
      cluster.gateways.map(({ url }) => url),
      'first alive',
    );
  });
  afterAll(async () => {
    await front?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
  });

  const publish = (events: object | object[]) => publishTo(cluster, events);
  const connect = (client: ClientVersion, transport: Transport = 'websocket') =>
    Watched.connect(front.url, client, transport);
  /** Kills a node, runs `meanwhile`, and starts the node again. */
  const without = async (node: number, meanwhile: () => Promise<unknown>) => {
    await cluster.kill(node);
    await meanwhile();
    await cluster.gateways[node]?.restart();
  };

  test.for<[ClientVersion, Transport]>([
    ['newest', 'websocket'],
    ['newest', 'polling'],
    ['4.6.0', 'websocket'],
  ])(
    '[GAP] [DUP] [ORD] [IO8] brings client %s over %s everything on another node after a `kill -9` of its own',
    async ([client, transport]) => {
      await using watched = await connect(client, transport);
      await watched.subscribe(PROJECT);
      await watched.subscribe(OTHER);
      await publish([
        ...numbered(USER, 1, 2),
        ...numbered(PROJECT, 1, 2),
        ...numbered(OTHER, 1, 1),
      ]);
      await watched.until({ 'user:ana': 2, 'project:P': 2, 'project:Q': 1 });
      await without(0, async () => {
        await publish([...numbered(PROJECT, 3, 3), ...numbered(USER, 3, 5)]);
        await publish(numbered(PROJECT, 4, 4));
        await expect.poll(() => watched.recovered, BACK).toEqual([false, true]);
        await publish([...numbered(OTHER, 2, 2), ...numbered(USER, 6, 6)]);
        await watched.until({ 'user:ana': 6, 'project:P': 4, 'project:Q': 2 });
      });
      expect(watched.client.all('connected').at(-1)).toMatchObject({ recovered: true });
    },
  );

  test('[GAP] [DUP] [IO8] keeps channels unsubscribed, and recovers subscriptions that had no event yet', async () => {
    await using watched = await connect('newest');
    await watched.subscribe(PROJECT);
    await watched.subscribe(OTHER);
    await publish([...numbered(PROJECT, 1, 1), ...numbered(USER, 1, 1)]);
    await watched.until({ 'user:ana': 1, 'project:P': 1 });
    watched.client.socket.emit('unsubscribe.project', PROJECT);
    await watched.client.first('unsubscribed.project');
    await without(0, async () => {
      await publish([...numbered(PROJECT, 2, 2), ...numbered(OTHER, 1, 1)]);
      await expect.poll(() => watched.recovered, BACK).toEqual([false, true]);
      await publish([...numbered(PROJECT, 3, 3), ...numbered(USER, 2, 2)]);
      await watched.until({ 'user:ana': 2, 'project:P': 1, 'project:Q': 1 });
    });
  });

  test('[GAP] [DUP] [ORD] [IO8] moves a client from a drained node with a notice, and nothing is missed', async () => {
    await using watched = await connect('newest');
    await publish(numbered(USER, 1, 1));
    await watched.until({ 'user:ana': 1 });
    await cluster.gateways[0]?.stop('SIGTERM');
    await publish(numbered(USER, 2, 3));
    await expect.poll(() => watched.recovered, BACK).toEqual([false, true]);
    await cluster.gateways[0]?.restart();
    await watched.until({ 'user:ana': 3 });
    expect(watched.client.all('server.draining')).toHaveLength(1);
  });

  test('[GAP] [DUP] [ORD] [IO8] loses and repeats nothing when node after node is killed under load', async () => {
    await using watched = await connect('newest');
    await watched.subscribe(PROJECT);
    const total = 600;
    let published = 0;
    const publishing = (async () => {
      for (let n = 1; n <= total; n += 1) {
        await publish([...numbered(USER, n, n), ...numbered(PROJECT, n, n)]);
        published = n;
        // A client that is away misses fewer events than the history keeps.
        await expect.poll(() => n - watched.seenIn('user:ana').length, BACK).toBeLessThan(50);
      }
    })();
    for (const rounds of [2, 3, 4]) {
      await expect.poll(() => published, BACK).toBeGreaterThan((rounds - 2) * 100);
      await without(rounds % 2, () =>
        expect.poll(() => watched.recovered.length, BACK).toBe(rounds),
      );
    }
    await publishing;
    await watched.until({ 'user:ana': total, 'project:P': total });
    expect(watched.recovered).toEqual([false, true, true, true]);
  }, 60_000);

  test.for<ClientVersion>(['3.1.3', '4.5.4'])(
    '[IO8] is unknown to client %s, which reconnects with a new session and goes on',
    async (version) => {
      await using watched = await connect(version);
      await publish(numbered(USER, 1, 1));
      await watched.until({ 'user:ana': 1 });
      await without(0, () =>
        expect.poll(() => watched.client.all('connected'), BACK).toHaveLength(2),
      );
      await publish(numbered(USER, 2, 2));
      await watched.until({ 'user:ana': 2 });
      expect(watched.client.all('connected').at(-1)).not.toHaveProperty('recovered');
    },
  );

  test('[GAP] [IO8.8] [IO8.9] reports `recovered: false` when the history has lost events, and delivers what follows', async () => {
    await using watched = await connect('newest');
    await watched.subscribe(PROJECT);
    await publish([...numbered(USER, 1, 1), ...numbered(PROJECT, 1, 1)]);
    await watched.until({ 'user:ana': 1, 'project:P': 1 });
    await without(0, async () => {
      // The history of a user keeps fewer events than these.
      await publish([...numbered(PROJECT, 2, 2), ...numbered(USER, 2, 60)]);
      await expect.poll(() => watched.recovered, BACK).toEqual([false, false]);
    });
    await expect
      .poll(() => watched.client.all('connected').at(-1), BACK)
      .toMatchObject({ recovered: false });
    await publish([...numbered(USER, 61, 61), ...numbered(PROJECT, 3, 3)]);
    await expect.poll(() => watched.seenIn('user:ana'), BACK).toEqual([1, 61]);
    // Recovery is all or nothing, so the client has to subscribe to the project again.
    expect(watched.seenIn('project:P')).toEqual([1]);
    await without(1, () =>
      expect.poll(() => watched.recovered, BACK).toEqual([false, false, true]),
    );
  });

  test('[GAP] [IO8] reports `recovered: false` when Redis has lost the channel', async () => {
    await using watched = await connect('newest');
    await publish(numbered(USER, 1, 1));
    await watched.until({ 'user:ana': 1 });
    await without(0, async () => {
      for (const part of ['log', 'meta']) {
        await redisCommand(redis.url, 'DEL', `${cluster.prefix}{user:ana}:${part}`);
      }
      await expect.poll(() => watched.recovered, BACK).toEqual([false, false]);
    });
  });

  test('[GAP] [DUP] [ORD] [RE1.1] a raw client resumes in the same way on another node after a `kill -9`', async () => {
    const token = tokenFor('ana', { projects: ['P'] });
    const open = (node: number, path: string) =>
      RawClient.connect(wsUrl(cluster.url(node), path), { token });
    await using before = await open(0, '/ws/notifications');
    await publish([...numbered(USER, 1, 1), ...numbered(PROJECT, 1, 1)]);
    const last = (channel: string) => before.first((event) => event.channel === channel);
    const cursors = {
      'user:ana': (await last('user:ana')).cursor,
      'project:P': (await last('project:P')).cursor,
    };
    await without(0, async () => {
      await publish([...numbered(USER, 2, 3), ...numbered(PROJECT, 2, 2)]);
      await using after = await open(1, '/ws/notifications?resume=1');
      const { data } = await after.ask({ action: 'resume', cursors });
      expect(data['channels']).toMatchObject({
        'user:ana': { recovered: true },
        'project:P': { recovered: true },
      });
      await publish(numbered(USER, 4, 4));
      await after.first(({ data: { n }, channel }) => channel === 'user:ana' && n === 4);
      const numbers = (channel: string) =>
        after.all('numbered').flatMap((each) => (each.channel === channel ? [each.data['n']] : []));
      expect(numbers('user:ana')).toEqual([2, 3, 4]);
      expect(numbers('project:P')).toEqual([2]);
    });
  });
});

/** An official client that records its recoveries and events. */
class Watched implements AsyncDisposable {
  readonly client: SocketClient;
  /** The client's `recovered` flag for each connection. */
  readonly recovered: boolean[];

  private constructor(client: SocketClient, recovered: boolean[]) {
    this.client = client;
    this.recovered = recovered;
  }

  static async connect(
    url: string,
    version: ClientVersion,
    transport: Transport,
  ): Promise<Watched> {
    const token = tokenFor('ana', { projects: ['P', 'Q'] });
    const client = await SocketClient.connect(url, {
      client: version,
      transport,
      token,
      reconnection: true,
    });
    const recovered = [false];
    client.socket.on('connect', () => recovered.push(client.socket.recovered));
    return new Watched(client, recovered);
  }

  async subscribe(project: { readonly project_id: string }): Promise<void> {
    this.client.socket.emit('subscribe.project', project);
    await this.client.first(
      'subscribed.project',
      (told) => told['project_id'] === project.project_id,
    );
  }

  seenIn(channel: string): number[] {
    const events = this.client.all('numbered').filter((each) => each['channel'] === channel);
    return events.map(({ data }) => (data as { n: number }).n);
  }

  /** Waits until exactly the numbers from 1 to the given one have arrived in each channel, in order. */
  async until(tops: Readonly<Record<string, number>>): Promise<void> {
    for (const [channel, top] of Object.entries(tops)) {
      await expect.poll(() => this.seenIn(channel), BACK).toEqual(upTo(top));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
  }
}

function upTo(top: number): number[] {
  return Array.from({ length: top }, (_, index) => index + 1);
}

function numbered(target: object, from: number, to: number): object[] {
  return upTo(to)
    .slice(from - 1)
    .map((n) => ({ type: 'numbered', ...target, data: { n } }));
}

async function publishTo(cluster: Cluster, events: object | object[]): Promise<void> {
  const { status } = await post(`${cluster.publisher.url}/api/publish`, events, WITH_KEY);
  expect(status).toBe(200);
}
