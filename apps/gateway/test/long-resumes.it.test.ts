import { io } from 'socket.io-client';
import { expect, test } from 'vitest';
import { type GatewayUnderTest, startGateway, tokenFor } from './support/gateway.ts';
import { RawClient } from './support/raw-client.ts';
import { connect, cut, publisher, subscribe } from './support/recovering-client.ts';

const BIG = 'x'.repeat(50_000);
const P = 'project:P';
const own = 'user:ana';
const auth = async () => ({ token: await tokenFor('ana', { projects: ['P', 'Q'] }) });

/** Publishes a number to each of these channels in turn, `count` times in all. */
async function publishTo(gateway: GatewayUnderTest, channels: readonly string[], count: number) {
  for (let n = 0; n < count; n += 1) {
    const channel = channels[n % channels.length] ?? P;
    await gateway.publish({ type: 'x', data: { n, BIG }, channel });
  }
}

async function cursorsOf(gateway: GatewayUnderTest, channels: readonly string[]) {
  const pairs = channels.map(async (channel) => {
    const top = await gateway.broker.top(channel);
    return [channel, `${top?.epoch}.${top?.offset}`] as const;
  });
  return Object.fromEntries(await Promise.all(pairs));
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

test('[GAP] [RE1.5] [RE6.1] 60 events of 50 KB in three channels are resumed in order, and an end follows', async () => {
  await using gateway = await startGateway();
  const channels = [P, 'project:Q', own];
  const cursors = await cursorsOf(gateway, channels);
  await publishTo(gateway, channels, 60);
  const { token } = await auth();
  using client = new RawClient(gateway.url, '/ws/notifications?resume=1', token);
  await expect.poll(() => client.of('connection')).toHaveLength(1);
  client.say({ action: 'resume', id: 7, cursors });
  await expect.poll(() => client.of('caught_up')).toHaveLength(1);
  expect(client.messages.map(({ type, data }) => data['n'] ?? type)).toEqual([
    'connection',
    'resumed',
    ...upTo(60),
    'caught_up',
  ]);
  expect(client.of('caught_up')).toMatchObject([{ id: 7, data: { channels } }]);
});

test('[GAP] [DUP] [RE7] 900 events of 2 KB are resumed by a client that is cut off in the middle, while others are published', async () => {
  await using gateway = await startGateway();
  const { token } = await auth();
  let cursor: string | undefined = (await cursorsOf(gateway, [P]))[P];
  const seen: unknown[] = [];
  for (let n = 0; n < 900; n += 1) {
    await gateway.publish({ type: 'x', data: { n, text: 'x'.repeat(2000) }, channel: P });
  }
  for (let round = 0; seen.length < 930; round += 1) {
    using client = new RawClient(gateway.url, '/ws/project/P?resume=1', token);
    const take = Math.min(930 - seen.length, 300);
    await expect.poll(() => client.of('connection')).toHaveLength(1);
    client.say({ action: 'resume', cursors: { [P]: cursor } });
    for (let n = 0; n < 10 && round < 3; n += 1) {
      await gateway.publish({ type: 'x', data: { n: 900 + round * 10 + n }, channel: P });
    }
    await expect.poll(() => client.of('x').length).toBeGreaterThanOrEqual(take);
    const taken = client.of('x').slice(0, take);
    seen.push(...taken.map(({ data }) => data['n']));
    cursor = String(taken.at(-1)?.['cursor']);
    expect(client.of('resumed')[0]?.data).toMatchObject({ channels: { [P]: { recovered: true } } });
  }
  expect(seen).toEqual(upTo(930));
});

test.each([
  ['subscribe', (since?: string) => ({ project_id: 'P', since })],
  ['subscribe.projects', (since?: string) => ({ projects: [{ project_id: 'P', since }] })],
] as const)(
  '[RE6.2] `%s` is followed by an end only when it presents a cursor',
  async (action, named) => {
    await using gateway = await startGateway();
    const cursor = (await cursorsOf(gateway, [P]))[P];
    const { token } = await auth();
    using client = new RawClient(gateway.url, '/ws/notifications', token);
    await expect.poll(() => client.of('connection')).toHaveLength(1);
    client.say({ action, ...named(), id: 1 });
    client.say({ action, ...named(cursor), id: 2 });
    client.say({ action: 'ping' });
    await expect.poll(() => client.of('pong')).toHaveLength(1);
    expect(client.messages.map(({ type, id }) => [type, id])).toEqual([
      ['connection', undefined],
      ['subscribed', 1],
      ['subscribed', 2],
      ['caught_up', 2],
      ['pong', undefined],
    ]);
  },
);

test("[GAP] [DUP] [ORD] [RE7] [IO8.7] Socket.IO's own recovery is as long as the history, in order, with an end", async () => {
  await using gateway = await startGateway();
  using client = await connect(gateway);
  await subscribe(client, 'P');
  await publisher(gateway).project('P');
  await expect.poll(() => client.seen).toEqual(['moved 1']);
  await cut(client, () => publishTo(gateway, [own, P], 40));
  await expect.poll(() => client.said.filter((name) => name === 'caught_up')).toHaveLength(1);
  expect(client.seen).toEqual(['moved 1', ...upTo(40).map((n) => `x ${n}`)]);
  expect(client.recoveries).toEqual([false, true]);
  await cut(client, async () => {});
  await expect.poll(() => client.said.filter((name) => name === 'caught_up')).toHaveLength(2);
});

test('[RE6.2] [IO5] Socket.IO clients get an end after `auth.cursors` and `since`, and none without', async () => {
  await using gateway = await startGateway();
  const cursors = await cursorsOf(gateway, [P, own]);
  await publishTo(gateway, [own, P], 40);
  const options = { transports: ['websocket'], forceNew: true, reconnection: false };
  const said: unknown[] = [];
  const socket = io(`${gateway.url}/events`, { ...options, auth: { ...(await auth()), cursors } });
  socket.onAny((name, payload) => said.push(payload.data?.n ?? name));
  await expect.poll(() => said).toContain('connections.count');
  await expect.poll(() => said.at(-1)).toBe('caught_up');
  expect(said.filter((each) => each !== 'connections.count')).toEqual([
    'connected',
    'resumed',
    ...upTo(40),
    'caught_up',
  ]);
  said.length = 0;
  await socket.emitWithAck('subscribe.project', { project_id: 'Q' });
  await socket.emitWithAck('subscribe.project', { project_id: 'P', since: cursors[P] });
  await expect.poll(() => said).toEqual(['subscribed.project', 'subscribed.project', 'caught_up']);
  socket.disconnect();
});
