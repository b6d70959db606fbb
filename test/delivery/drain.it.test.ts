import { setTimeout as delay } from 'node:timers/promises';
import { get, post, RawClient, SocketClient, tokenFor, wsUrl } from '@leque/lab';
import { type Cluster, startCluster, startLeque, TEST_API_KEY } from '@leque/testkit';
import { io } from 'socket.io-client';
import { expect, test } from 'vitest';
import { type Follow, fromGuide, type Listen, type Numbered } from '../support/guide.ts';
import { RoundRobin } from '../support/round-robin.ts';

const WITH_KEY = { authorization: `Bearer ${TEST_API_KEY}` };
const EACH = 15;
const PUBLISH_EVERY_MS = 10;

function fromTo(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Publishes increasing numbers to a project and to a user until `stop` is called. */
function startPublishing(cluster: Cluster) {
  const stop = new AbortController();
  const published = (async () => {
    let n = 0;
    while (!stop.signal.aborted) {
      n += 1;
      const data = { n };
      const events = [
        { type: 'x', project_id: 'P', data },
        { type: 'x', user_id: 'alice', data },
      ];
      const { status } = await post(`${cluster.publisher.url}/api/publish`, events, WITH_KEY);
      expect(status).toBe(200);
      await delay(PUBLISH_EVERY_MS);
    }
    return n;
  })();
  published.catch(() => {}); // told by `stop`, unless the test has failed before
  return {
    /** @returns the last published number */
    stop: () => {
      stop.abort();
      return published;
    },
  };
}

/** Starts raw clients as in the guide and official clients, and records the numbers that each receives. */
async function startClients(url: string) {
  const seen: number[][] = [];
  let gaps = 0;
  const newest = () => {
    const numbers: number[] = [];
    seen.push(numbers);
    return ({ data }: Numbered) => void numbers.push(data.n);
  };
  const follow = await fromGuide<Follow>('follow', {});
  const listen = await fromGuide<Listen>('listen', {
    io: (address: string, options: object) => io(address, { ...options, forceNew: true }),
  });
  const getToken = async () => tokenFor('watcher', { projects: ['P'] });
  const stops: (() => void)[] = [];
  const onGap = () => {
    gaps += 1;
  };
  for (let n = 0; n < EACH; n += 1) {
    const told = { getToken, onEvent: newest(), onGap };
    stops.push(follow(wsUrl(url, '/ws/project/P'), 'P', told));
  }
  const officials = Array.from({ length: EACH }, () =>
    listen(url, async () => tokenFor('alice'), { onGap }).on('x', newest()),
  );
  return {
    seen,
    gaps: () => gaps,
    [Symbol.dispose]: () => {
      for (const each of officials) each.disconnect();
      for (const stop of stops) stop();
    },
  };
}

test('[GAP] [DUP] [ORD] clients written as in the guide miss nothing when a drain moves them to another node under load', async () => {
  // Half of the attempts lead to the leaving gateway, so a client may need several seconds.
  const env = { DRAIN_TIMEOUT: '2', HISTORY_USER_SIZE: '5000', HISTORY_PROJECT_SIZE: '5000' };
  await using cluster = await startCluster({ gateways: 2, env });
  await using front = await RoundRobin.start(cluster.gateways.map(({ url }) => url));
  using clients = await startClients(front.url);
  const sessions = async () => {
    const { body } = await get(`${cluster.publisher.url}/api/ws/connections`, WITH_KEY);
    return body['count'];
  };

  await expect.poll(sessions, { timeout: 10_000 }).toBe(2 * EACH);
  const publishing = startPublishing(cluster);
  const seenByAll = () => Math.min(...clients.seen.map(({ length }) => length));
  await expect.poll(seenByAll, { timeout: 10_000 }).toBeGreaterThan(5);
  expect(await cluster.gateways[0]?.stop()).toEqual({ code: 0, signal: null });
  await expect.poll(sessions, { timeout: 15_000 }).toBe(2 * EACH);
  const last = await publishing.stop();
  await expect
    .poll(() => clients.seen.map((numbers) => numbers.at(-1)), { timeout: 5000 })
    .toEqual(clients.seen.map(() => last));
  for (const numbers of clients.seen) expect(numbers).toEqual(fromTo(numbers[0] ?? 0, last));
  expect(clients.gaps()).toBe(0);
}, 60_000);

test('[HON] a stopping gateway is not ready at once, but accepts clients until the drain grace is over', async () => {
  const env = { DRAIN_GRACE: '3', DRAIN_TIMEOUT: '0' };
  await using cluster = await startCluster({ gateways: 1, env });
  const leaving = cluster.gateways[0]?.stop();
  const readiness = async () => (await get(`${cluster.url(0)}/readyz`)).body;
  await expect.poll(readiness).toEqual({ status: 'not ready', reasons: ['draining'] });
  // A load balancer that has not noticed yet still sends clients here.
  const token = tokenFor('alice', { projects: ['P'] });
  await using raw = await RawClient.connect(wsUrl(cluster.url(0), '/ws/project/P'), { token });
  await using socket = await SocketClient.connect(cluster.url(0), { token });
  expect(await raw.closed).toMatchObject({ code: 1012 });
  await socket.first('server.draining');
  expect(await leaving).toEqual({ code: 0, signal: null });
}, 60_000);

test('[HON] a stopping publisher is not ready at once, but answers until the drain grace is over', async () => {
  await using cluster = await startCluster({ gateways: 1, env: { DRAIN_GRACE: '2' } });
  const { publisher } = cluster;
  const leaving = publisher.stop();
  const readiness = async () => (await get(`${publisher.url}/readyz`)).status;
  await expect.poll(readiness).toBe(503);
  const event = { type: 'x', project_id: 'P', data: {} };
  const { status, headers } = await post(`${publisher.url}/api/publish`, event, WITH_KEY);
  expect({ status, connection: headers.get('connection') }).toEqual({
    status: 200,
    connection: 'close',
  });
  expect(await leaving).toEqual({ code: 0, signal: null });
}, 60_000);

test.for(['SIGTERM', 'SIGINT'] as const)(
  'a second %s ends a drain at once',
  { timeout: 60_000 },
  async (signal) => {
    await using server = await startLeque({ AUTH_MODE: 'open', DRAIN_TIMEOUT: '60' });
    const clients = await Promise.all(
      [1, 2, 3].map(() => RawClient.connect(wsUrl(server.url, '/ws/notifications'))),
    );
    await using stack = new AsyncDisposableStack();
    for (const client of clients) stack.use(client);
    const leaving = server.stop(signal);
    await Promise.race(clients.map(({ closed }) => closed));
    // A signal that arrives soon after the first counts as the same signal, passed on by a parent process.
    const again = setInterval(() => void server.stop(signal), 100);
    stack.defer(() => clearInterval(again));
    expect(await leaving).toEqual({ code: 1, signal: null });
    expect(server.output).toContain('second signal; exiting now');
  },
);
