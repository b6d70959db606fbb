import { get, post, RawClient, SocketClient, tokenFor, wsUrl } from '@leque/lab';
import { type Cluster, ServerProcess, startCluster, TEST_API_KEY } from '@leque/testkit';
import { describe, expect, test } from 'vitest';
import { RoundRobin } from '../support/round-robin.ts';
import { SeedPage, seedText } from '../support/seed-page.ts';

const SOON = { timeout: 2000, interval: 25 };
/** A crash shows in the counts within one lease of 10 s. */
const WITHIN_A_LEASE = { timeout: 10_000, interval: 100 };
const WITH_KEY = { authorization: `Bearer ${TEST_API_KEY}` };

describe('a cluster of processes', () => {
  test('[CNT] has correct counts within 10 s of a `kill -9` of one gateway, and no other process restarts', async () => {
    await using cluster = await startCluster({ gateways: 3 });
    const others = [cluster.publisher, cluster.gateways[1], cluster.gateways[2]];
    const pids = others.map((server) => server?.pid);
    await using stack = new AsyncDisposableStack();
    for (const gateway of [0, 0, 0, 1, 2]) stack.use(await openRaw(cluster, gateway));
    for (const gateway of [0, 0, 1]) stack.use(await openSocket(cluster, gateway));
    const lastSocket = stack.use(await openSocket(cluster, 2));
    await expect
      .poll(() => statsOf(cluster), SOON)
      .toMatchObject({
        active_connections: 9,
        active_projects: 1,
        connections_per_project: { 'PROJ-K': 5 },
      });
    await expect.poll(() => lastSocket.all('connections.count').at(-1), SOON).toEqual({ count: 4 });

    const killedAt = Date.now();
    await cluster.kill(0);
    await expect
      .poll(() => statsOf(cluster), WITHIN_A_LEASE)
      .toMatchObject({
        active_connections: 4,
        active_projects: 1,
        connections_per_project: { 'PROJ-K': 2 },
      });
    // The remaining sockets of the user are sent the user's new count.
    await expect
      .poll(() => lastSocket.all('connections.count').at(-1), {
        interval: 100,
        timeout: Math.max(100, killedAt + 10_500 - Date.now()),
      })
      .toEqual({ count: 2 });
    expect(await subscribersOf(cluster)).toBe(2);
    expect(await sentTo(cluster)).toBe(2);
    expect(others.map((server) => server?.pid)).toEqual(pids);
    expect(others.map((server) => server?.running)).toEqual([true, true, true]);
  }, 30_000);

  test("lets the seed's client class reconnect to another node by itself after a `kill -9` of its gateway", async () => {
    await using cluster = await startCluster({ gateways: 3, env: { AUTH_MODE: 'open' } });
    await using front = await RoundRobin.start(cluster.gateways.map(({ url }) => url));
    await using page = new SeedPage(front.url);
    page.run(seedText('seed-000-client'));
    page.run(`let node;
      const look = client.handleMessage.bind(client);
      client.handleMessage = (message) => {
        if (message.type === 'connection') console.log('node', message.data.node);
        look(message);
      };`);
    await page.said('node', 'gateway-1');
    await publishStory(cluster, 'before');
    await page.console.first(saysStory('before'));
    await cluster.kill(0);
    await page.said('Desconectado, reconectando...');
    await page.said('node', 'gateway-2');
    await publishStory(cluster, 'after');
    await page.console.first(saysStory('after'));
  });

  test('lets an official Socket.IO client reconnect to another node by itself', async () => {
    await using cluster = await startCluster({ gateways: 2 });
    await using front = await RoundRobin.start(cluster.gateways.map(({ url }) => url));
    await using client = await SocketClient.connect(front.url, {
      token: tokenFor('alice'),
      reconnection: true,
    });
    await cluster.kill(0);
    await expect.poll(() => client.all('connected').length, { timeout: 10_000 }).toBe(2);
    await publish(cluster, {
      type: 'task.created',
      user_id: 'alice',
      data: { taskId: 'T', userId: 'alice', agentId: 'A' },
    });
    await client.first('task.created');
  });

  test('keeps its running totals when every process is restarted', async () => {
    await using cluster = await startCluster({ gateways: 2 });
    const total = async () => (await statsOf(cluster))['total_connections'];
    const first = await Promise.all([0, 0, 1].map((gateway) => openRaw(cluster, gateway)));
    await publish(cluster, { type: 'x', project_id: 'PROJ-K', data: {} });
    await Promise.all(first.map((client) => client.first('x')));
    const counted = { total_connections: 3, total_broadcasts: 1, total_messages_sent: 6 };
    await expect.poll(() => statsOf(cluster), SOON).toMatchObject(counted);
    await Promise.all([...cluster.gateways, cluster.publisher].map((server) => server.restart()));
    expect(await statsOf(cluster)).toMatchObject(counted);
    await using _next = await openRaw(cluster, 1);
    await expect.poll(total, SOON).toBe(4);
  }, 30_000);

  test('has gateways that close their clients with a reconnect hint on SIGTERM, and then exit', async () => {
    await using cluster = await startCluster({ gateways: 2, env: { DRAIN_TIMEOUT: '1' } });
    const raw = await Promise.all(Array.from({ length: 20 }, () => openRaw(cluster, 0)));
    await using socket = await openSocket(cluster, 0);
    await using stays = await openRaw(cluster, 1);
    const gone = new Promise<string>((resolve) => socket.socket.once('disconnect', resolve));
    await expect.poll(() => subscribersOf(cluster), SOON).toBe(21);
    const leaving = cluster.gateways[0]?.stop('SIGTERM');
    for (const { code, reason } of await Promise.all(raw.map((client) => client.closed))) {
      expect(code).toBe(1012);
      expect(reason).toMatch(/^\d+$/);
    }
    // After a disconnect packet official clients would not reconnect.
    expect(await gone).not.toBe('io server disconnect');
    expect(await leaving).toEqual({ code: 0, signal: null });
    // The gateway gave its lease back, so nobody has to wait until it expires.
    await expect.poll(() => subscribersOf(cluster), SOON).toBe(1);
    await publish(cluster, { type: 'x', project_id: 'PROJ-K', data: {} });
    await stays.first('x');
  });

  test('has gateways that are not ready while they drain, and refuse new clients with 503', async () => {
    await using cluster = await startCluster({ gateways: 1, env: { DRAIN_TIMEOUT: '3' } });
    const clients = await Promise.all(Array.from({ length: 30 }, () => openRaw(cluster, 0)));
    const leaving = cluster.gateways[0]?.stop('SIGTERM');
    const ready = async () => (await get(`${cluster.url(0)}/readyz`)).status;
    await expect.poll(ready, SOON).toBe(503);
    expect((await get(`${cluster.url(0)}/healthz`)).status).toBe(200);
    const refusal = await RawClient.refusal(wsUrl(cluster.url(0), '/ws/notifications'), {
      token: tokenFor('late'),
    });
    expect(refusal).toMatchObject({ status: 503, headers: { 'retry-after': expect.any(String) } });
    const late = await SocketClient.refusal(cluster.url(0), { token: tokenFor('late') });
    expect(late.message).toBe('websocket error');
    // A page that polls can read the reason.
    const { status, headers, body } = await get(
      `${cluster.url(0)}/socket.io/?EIO=4&transport=polling`,
    );
    expect({ status, retryAfter: headers.get('retry-after'), body }).toMatchObject({
      status: 503,
      retryAfter: expect.stringMatching(/^[1-5]$/),
      body: { code: 'draining', detail: 'this node is being replaced' },
    });
    await Promise.all(clients.map((client) => client.closed));
    expect(await leaving).toEqual({ code: 0, signal: null });
  });

  test('has a gateway and a publisher that run and answer health checks each on its own', async () => {
    await using cluster = await startCluster({ gateways: 1 });
    for (const server of [cluster.gateways[0], cluster.publisher]) {
      expect(server).toBeInstanceOf(ServerProcess);
      for (const path of ['/healthz', '/readyz', '/metrics']) {
        expect({ path, status: (await get(`${server?.url}${path}`)).status }).toEqual({
          path,
          status: 200,
        });
      }
    }
  });
});

function openRaw(cluster: Cluster, gateway: number): Promise<RawClient> {
  return RawClient.connect(wsUrl(cluster.url(gateway), '/ws/project/PROJ-K'), {
    token: tokenFor('watcher', { projects: ['PROJ-K'] }),
  });
}

function openSocket(cluster: Cluster, gateway: number): Promise<SocketClient> {
  return SocketClient.connect(cluster.url(gateway), { token: tokenFor('alice') });
}

async function statsOf(cluster: Cluster): Promise<Record<string, unknown>> {
  return (await get(`${cluster.publisher.url}/api/ws/stats`, WITH_KEY)).body;
}

async function subscribersOf(cluster: Cluster): Promise<unknown> {
  const url = `${cluster.publisher.url}/api/ws/project/PROJ-K/subscribers`;
  return (await get(url, WITH_KEY)).body['subscribers'];
}

async function sentTo(cluster: Cluster): Promise<unknown> {
  const event = { event_type: 'x', project_id: 'PROJ-K', data: {} };
  return (await post(`${cluster.publisher.url}/api/ws/broadcast`, event, WITH_KEY)).body['sent_to'];
}

async function publish(cluster: Cluster, event: object): Promise<void> {
  const { status } = await post(`${cluster.publisher.url}/api/publish`, event, WITH_KEY);
  expect(status).toBe(200);
}

async function publishStory(cluster: Cluster, title: string): Promise<void> {
  const data = { story_id: 'STR-1', title, project_id: 'PROJ-001' };
  await publish(cluster, { type: 'story_created', project_id: 'PROJ-001', data });
}

function saysStory(title: string): (line: readonly unknown[]) => boolean {
  return ([label, data]) => label === 'Nova story:' && (data as { title: string }).title === title;
}
