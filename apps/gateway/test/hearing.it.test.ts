import { HEARING_STEPS, runHearingContract } from '@leque/testkit/contracts';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GatewayUnderTest, startGateway, tokenFor } from './support/gateway.ts';
import { RawHearingClient, SocketIoHearingClient } from './support/hearing-clients.ts';
import { type Message, RawClient } from './support/raw-client.ts';

const SEEDS = Array.from({ length: 3 }, (_, seed) => seed);
const isCursor = expect.stringMatching(/^\w+\.\d+$/);

describe('[HR] what random clients hear is what the table of PROTOCOL.md says', () => {
  test('[HR] by raw WebSocket', async () => {
    const beginnings = ['takes all', 'one project'] as const;
    for (const seed of SEEDS) {
      const { start } = RawHearingClient;
      await runHearingContract({ seed, beginnings, kinds: HEARING_STEPS, start });
    }
  });

  test('[HR] by Socket.IO, where a resume is a part of connecting', async () => {
    const kinds = HEARING_STEPS.filter((kind) => kind !== 'resume');
    const beginnings = ['takes all', 'no project'] as const;
    for (const seed of SEEDS) {
      await runHearingContract({ seed, beginnings, kinds, start: SocketIoHearingClient.start });
    }
  });
});

/** Shared by all tests below: each has clients of its own, and hears only what comes after them. */
let gateway: GatewayUnderTest;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway?.stop());

async function connectRaw(path: string, claims = {}) {
  const token = await tokenFor('alice', claims);
  const client = new RawClient(gateway.url, path, token);
  await expect.poll(() => client.of('connection')).toHaveLength(1);
  return { client, data: client.of('connection')[0]?.data ?? {} };
}

async function connectSocket(claims = {}, auth = {}) {
  const token = await tokenFor('alice', claims);
  const options = { auth: { token, ...auth }, transports: ['websocket'], forceNew: true };
  const socket = io(`${gateway.url}/events`, options);
  const data = await new Promise<Message['data']>((resolve) => socket.once('connected', resolve));
  return { data, socket, [Symbol.dispose]: () => void socket.disconnect() };
}

describe('a first cursor', () => {
  const projects = ['A', 'B'];
  const ALL_CHANNELS = {
    all: isCursor,
    'user:alice': isCursor,
    'project:A': isCursor,
    'project:B': isCursor,
  };

  test('[WS2.1] [WS2.4] [GAP] a raw client that heard nothing yet misses nothing', async () => {
    const { client, data } = await connectRaw('/ws/notifications', { projects });
    using _ = client;
    expect(data).toMatchObject({ cursors: ALL_CHANNELS, expires_at: expect.stringMatching(/Z$/) });
    expect(data).not.toHaveProperty('live_only');
    client.socket.terminate();
    for (const [n, target] of [
      { user_id: 'alice' },
      { channel: 'all' },
      { project_id: 'A' },
    ].entries()) {
      await gateway.publish({ type: 'x', data: { n }, ...target });
    }
    const { client: again } = await connectRaw('/ws/notifications?resume=1', { projects });
    using __ = again;
    again.say({ action: 'resume', cursors: data['cursors'] });
    const heard = () => again.of('x').map(({ data: { n } }) => n);
    await expect.poll(() => heard().sort()).toEqual([0, 1, 2]);
    const outcomes = Object.values(again.of('resumed')[0]?.data['channels'] ?? {});
    expect(outcomes).toEqual(outcomes.map(() => ({ recovered: true, cursor: isCursor })));
  });

  test('[IO2] [GAP] `connected` has the cursor of each channel, and when the token ends', async () => {
    using client = await connectSocket({ projects }, { projects: true });
    expect(client.data).toMatchObject({ cursors: ALL_CHANNELS, expires_at: expect.any(String) });
    client.socket.disconnect();
    await gateway.publish({ type: 'x', data: { n: 1 }, project_id: 'B' });
    using again = await connectSocket({ projects }, { cursors: client.data['cursors'] });
    const resumed = new Promise((resolve) => again.socket.once('x', ({ data }) => resolve(data)));
    expect(await resumed).toEqual({ n: 1 });
  });

  test('[WS2.3] channels without a cursor are named: the firehose and logs', async () => {
    const all = await connectRaw('/ws/notifications', { projects: ['*'] });
    using _ = all.client;
    expect(all.data).toMatchObject({ cursors: { all: isCursor }, live_only: ['firehose'] });
    const logs = await connectRaw('/ws/logs', { scopes: ['logs'] });
    using __ = logs.client;
    expect(logs.data).toMatchObject({ cursors: {}, live_only: ['logs'] });
    using socket = await connectSocket({ projects: ['*'] }, { projects: true });
    expect(socket.data).toMatchObject({ cursors: { all: isCursor }, live_only: ['firehose'] });
  });

  test('[WS2.2] a session of many channels gets their cursors where it asks for them', async () => {
    const many = Array.from({ length: 31 }, (_, n) => `P${n}`);
    const plain = await connectRaw('/ws/notifications', { projects: many });
    using _ = plain.client;
    expect(plain.data).not.toHaveProperty('cursors');
    const asking = await connectRaw('/ws/notifications?resume=1', { projects: many });
    using __ = asking.client;
    expect(Object.keys(asking.data['cursors'] as object)).toHaveLength(33);
    const path = '/ws/notifications?resume=1&max_message=1024';
    const small = await connectRaw(path, { projects: many });
    using ___ = small.client;
    expect(small.data).not.toHaveProperty('cursors');
  });
});

describe('what ends is told, and comes back', () => {
  const A = 'project:A';
  const without = () => tokenFor('alice', { projects: [] });
  const withA = () => tokenFor('alice', { projects: ['A'] });

  test.each(['/ws/notifications', '/ws/project/A'])(
    '[WS3.3] [HR.3] [HR.4] [HR.5] [HR.6] [GAP] by raw WebSocket at %s',
    async (path) => {
      const publish = (n: number) => gateway.publish({ type: 'x', data: { n }, project_id: 'A' });
      const { client } = await connectRaw(path, { projects: ['A'] });
      using _ = client;
      client.say({ action: 'subscribe', project_id: 'A' });
      await publish(1);
      await expect.poll(() => client.of('x')).toHaveLength(1);
      client.say({ action: 'auth', token: await without(), id: 1 });
      await expect.poll(() => client.of('authenticated')).toHaveLength(1);
      expect(client.of('authenticated')[0]?.data).toMatchObject({ ended: [A] });
      const [end] = client.of('unsubscribed');
      expect(end?.data).toMatchObject({
        project_id: 'A',
        channel: A,
        reason: 'not_granted',
        message: 'The token does not cover project A',
        cursor: client.of('x')[0]?.['cursor'],
      });
      await publish(2);
      client.say({ action: 'auth', token: await withA(), cursors: { [A]: end?.data['cursor'] } });
      await expect.poll(() => client.of('authenticated')).toHaveLength(2);
      await publish(3);
      await expect.poll(() => client.of('x').map(({ data }) => data['n'])).toEqual([1, 2, 3]);
      expect(client.of('authenticated')[1]?.data).toMatchObject({
        expires_at: expect.any(String),
        cursors: { [A]: isCursor },
        channels: { [A]: { recovered: true, cursor: isCursor } },
      });
      expect(client.of('subscribed')[1]?.data).toMatchObject({
        project_id: 'A',
        channel: A,
        recovered: true,
        cursor: end?.data['cursor'],
      });
    },
  );

  test('[HR.3] [HR.4] [HR.5] [HR.6] [GAP] by Socket.IO', async () => {
    const publish = (n: number) => gateway.publish({ type: 'x', data: { n }, project_id: 'A' });
    using client = await connectSocket({ projects: ['A'] });
    const { socket } = client;
    const ask = (name: string, sent: object) => socket.timeout(2000).emitWithAck(name, sent);
    const numbers: unknown[] = [];
    socket.on('x', ({ data }) => numbers.push(data.n));
    const told = recordOf(socket, 'unsubscribed.project', 'subscribed.project');
    await ask('subscribe.project', { project_id: 'A' });
    await publish(1);
    await expect.poll(() => numbers).toEqual([1]);
    expect(await ask('auth', { token: await without() })).toMatchObject({ ended: [A] });
    const end = told.at(-1);
    expect(end).toMatchObject({
      project_id: 'A',
      channel: A,
      reason: 'not_granted',
      cursor: isCursor,
    });
    await publish(2);
    const cursors = { [A]: end?.['cursor'] };
    expect(await ask('auth', { token: await withA(), cursors })).toMatchObject({
      cursors: { [A]: isCursor },
      channels: { [A]: { recovered: true } },
    });
    expect(told.at(-1)).toMatchObject({ project_id: 'A', channel: A, recovered: true });
    await publish(3);
    await expect.poll(() => numbers).toEqual([1, 2, 3]);
  });

  test('[HR.3] [HR.4] [WS2.3] at /ws/logs, whose level still counts when it comes back', async () => {
    const withScope = (scopes: ['logs'] | []) => tokenFor('alice', { scopes });
    const { client } = await connectRaw('/ws/logs?level=error', { scopes: ['logs'] });
    using _ = client;
    const log = (level: string, message: string) =>
      gateway.publish({ type: 'log_message', data: { level, message } });
    client.say({ action: 'auth', token: await withScope([]) });
    await expect.poll(() => client.of('authenticated')).toHaveLength(1);
    expect(client.of('unsubscribed')[0]?.data).toEqual({
      channel: 'logs',
      reason: 'not_granted',
      message: 'The token does not cover logs',
    });
    await log('error', 'unheard');
    client.say({ action: 'auth', token: await withScope(['logs']) });
    await expect.poll(() => client.of('authenticated')).toHaveLength(2);
    expect(client.of('authenticated')[1]?.data).toMatchObject({ live_only: ['logs'] });
    await log('info', 'unheard');
    await log('error', 'heard');
    await expect.poll(() => client.of('log_message')).toHaveLength(1);
    expect(client.of('log_message')[0]?.data).toMatchObject({ message: 'heard' });
  });

  test('[HR.7] a first selection names the channels that it ends', async () => {
    const { client } = await connectRaw('/ws/notifications', { projects: ['A', 'B'] });
    using _ = client;
    client.say({ action: 'subscribe', project_id: 'A' });
    client.say({ action: 'unsubscribe', project_id: 'A' });
    await expect.poll(() => client.of('unsubscribed')).toHaveLength(1);
    expect(client.of('subscribed')[0]?.data['ended']).toEqual(['project:B']);
    expect(client.of('unsubscribed')[0]?.data).not.toHaveProperty('ended');
    using socket = await connectSocket({ projects: ['*'] }, { projects: true });
    const sent = { project_id: 'A' };
    const answer = await socket.socket.timeout(2000).emitWithAck('unsubscribe.project', sent);
    expect(answer).toMatchObject({ project_id: 'A', ended: ['firehose'] });
  });

  test('[WS3.3] a fresh token that leads to too many channels is refused, and the old one stays', async () => {
    const { client } = await connectRaw('/ws/notifications', { projects: ['A'] });
    using _ = client;
    const many = Array.from({ length: 511 }, (__, n) => `P${n}`);
    client.say({ action: 'auth', token: await tokenFor('alice', { projects: many }) });
    await expect.poll(() => client.of('error')[0]?.data['code']).toBe('too_many_subscriptions');
    await gateway.publish({ type: 'x', data: {}, project_id: 'A' });
    await expect.poll(() => client.of('x')).toHaveLength(1);
  });
});

/** The payloads of some events, in the order of their arrival. */
function recordOf(socket: Socket, ...names: string[]): Message['data'][] {
  const payloads: Message['data'][] = [];
  for (const name of names) socket.on(name, (payload) => payloads.push(payload));
  return payloads;
}
