import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { MemoryBroker, MemoryStore } from '@leque/broker-memory';
import { type Cancel, type Clock, type HistoryPage, systemClock } from '@leque/core';
import { CLOSE } from '@leque/protocol';
import { io } from 'socket.io-client';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { EngineClient } from './support/engine-client.ts';
import { memoryLimits, startGateway, tokenFor } from './support/gateway.ts';
import { RawClient } from './support/raw-client.ts';

/** A broker that answers a history read only when the test lets it. */
class SlowHistory extends MemoryBroker {
  asked = 0;
  readonly #answer = Promise.withResolvers<void>();

  override async history(...asked: Parameters<MemoryBroker['history']>): Promise<HistoryPage> {
    const page = await super.history(...asked);
    this.asked += 1;
    await this.#answer.promise;
    return page;
  }

  answer(): void {
    this.#answer.resolve();
  }
}

/** The system clock, except that the test may run timers early. */
class HurriedClock implements Clock {
  readonly now = systemClock.now;
  readonly monotonic = systemClock.monotonic;
  readonly defer = systemClock.defer;
  readonly #timers = new Map<Cancel, { delayMs: number; task: () => void }>();

  after(delayMs: number, task: () => void): Cancel {
    const cancelTimer = systemClock.after(delayMs, () => {
      this.#timers.delete(cancel);
      task();
    });
    const cancel = () => {
      this.#timers.delete(cancel);
      cancelTimer();
    };
    this.#timers.set(cancel, { delayMs, task });
    return cancel;
  }

  /** Whether a timer is set whose delay is within these limits. */
  has(minMs: number, maxMs: number): boolean {
    return [...this.#timers.values()].some(({ delayMs }) => delayMs >= minMs && delayMs <= maxMs);
  }

  /** Runs the timers whose delay is at most `ms`. */
  hurry(ms: number): void {
    for (const [cancel, { delayMs, task }] of [...this.#timers]) {
      if (delayMs > ms || !this.#timers.has(cancel)) continue;
      cancel();
      task();
    }
  }
}

const BIG = 'x'.repeat(60_000);

test('[MEM] a client that does not read is closed with 4008 while the others get everything', async () => {
  await using gateway = await startGateway({ AUTH_MODE: 'open' });
  using slow = new RawClient(gateway.url, '/ws/notifications');
  using fast = new RawClient(gateway.url, '/ws/notifications');
  await expect.poll(() => [slow, fast].map((client) => client.messages.length)).toEqual([1, 1]);
  slow.socket.pause();
  let published = 0;
  // Publishes more than the kernel buffers for a client, but not forever.
  while (gateway.telemetry.of('slow_consumer').length === 0 && published < 1000) {
    await gateway.publish({ type: 'x', data: { BIG }, channel: 'all' });
    published += 1;
    await expect.poll(() => fast.of('x').length).toBe(published);
  }
  slow.socket.resume();
  expect(await slow.closed).toMatchObject({ code: CLOSE.slowConsumer });
  expect(gateway.telemetry.of('slow_consumer')[0]?.queuedBytes).toBeLessThanOrEqual(1_048_576);
});

test('[CC] a session ends with 4001 when its token expires, and continues with a fresh one', async () => {
  await using gateway = await startGateway();
  const token = await tokenFor('alice', { expiresInSeconds: 1 });
  using ending = new RawClient(gateway.url, '/ws/notifications', token);
  using renewed = new RawClient(gateway.url, '/ws/notifications', token);
  await expect.poll(() => renewed.of('connection')).toHaveLength(1);
  renewed.say({ action: 'auth', token: await tokenFor('alice') });
  expect(await ending.closed).toEqual({ code: CLOSE.tokenExpired, reason: 'token expired' });
  renewed.say('ping');
  await expect
    .poll(() => renewed.messages.map(({ type }) => type))
    .toEqual(['connection', 'authenticated', 'pong']);
});

test('[ISO] a fresh token of another user is refused, and one with fewer projects ends their subscriptions', async () => {
  await using gateway = await startGateway();
  const token = await tokenFor('alice', { projects: ['A', 'B'] });
  using client = new RawClient(gateway.url, '/ws/notifications', token);
  await expect.poll(() => client.of('connection')).toHaveLength(1);
  client.say({ action: 'auth', token: await tokenFor('mallory', { projects: ['A'] }) });
  await expect
    .poll(() => client.of('error').map(({ data }) => data['code']))
    .toEqual(['forbidden']);
  client.say({ action: 'auth', token: await tokenFor('alice', { projects: ['B'] }) });
  await expect.poll(() => client.of('authenticated')).toHaveLength(1);
  await gateway.publish({ type: 'x', data: { project: 'A' }, project_id: 'A' });
  await gateway.publish({ type: 'x', data: { project: 'B' }, project_id: 'B' });
  await expect.poll(() => client.of('x').map(({ data }) => data)).toEqual([{ project: 'B' }]);
});

test('[CC] [IO6] a drain closes with 1012 and a spread hint, Socket.IO with its own event', async () => {
  await using gateway = await startGateway({ AUTH_MODE: 'open' });
  using client = new RawClient(gateway.url, '/ws/notifications');
  const socket = io(`${gateway.url}/events`, {
    auth: { token: await tokenFor('alice') },
    reconnection: false,
  });
  const hints: unknown[] = [];
  socket.on('server.draining', (hint) => hints.push(hint));
  await expect.poll(() => socket.connected && client.of('connection').length).toBe(1);
  const stopped = gateway.stop();
  const { code, reason } = await client.closed;
  expect({ code, spread: Number(reason) < 1000 }).toEqual({ code: CLOSE.drained, spread: true });
  await expect.poll(() => hints).toEqual([{ retry_after_ms: expect.any(Number) }]);
  await stopped;
});

test('[WS8.2] a resume counts as more commands for its cursors, and the next command waits for its turn', async () => {
  const clock = new HurriedClock();
  const pace = { COMMAND_RATE: '1', COMMAND_BURST: '30' };
  await using gateway = await startGateway({ AUTH_MODE: 'open', ...pace }, { clock });
  using client = new RawClient(gateway.url, '/ws/notifications');
  await expect.poll(() => client.of('connection')).toHaveLength(1);
  const channels = Array.from({ length: 512 }, (_, n) => `project:P${n}`);
  const cursors = Object.fromEntries(channels.map((channel) => [channel, 'e.1']));
  client.say({ action: 'resume', cursors });
  client.say('ping');
  await expect.poll(() => client.of('resumed')).toHaveLength(1);
  // 30 of 33 commands were left.
  await expect.poll(() => clock.has(3500, 4000)).toBe(true);
  expect(client.of('pong')).toEqual([]);
  clock.hurry(4000);
  await expect.poll(() => client.of('pong')).toHaveLength(1);
});

test('[RE3.2] ?resume=1 holds back new publications until the cursors arrive', async () => {
  await using gateway = await startGateway();
  const token = await tokenFor('alice', { projects: ['P'] });
  await gateway.publish({ type: 'x', data: { n: 1 }, project_id: 'P' });
  using first = new RawClient(gateway.url, '/ws/notifications', token);
  await expect.poll(() => first.of('connection')).toHaveLength(1);
  await gateway.publish({ type: 'x', data: { n: 2 }, project_id: 'P' });
  await expect.poll(() => first.of('x')).toHaveLength(1);
  const cursor = first.of('x')[0]?.['cursor'];
  await gateway.publish({ type: 'x', data: { n: 3 }, project_id: 'P' });

  using second = new RawClient(gateway.url, '/ws/notifications?resume=1', token);
  await expect.poll(() => second.of('connection')).toHaveLength(1);
  await gateway.publish({ type: 'x', data: { n: 4 }, project_id: 'P' });
  second.say({ action: 'resume', cursors: { 'project:P': cursor } });
  await expect.poll(() => second.of('x').map(({ data }) => data['n'])).toEqual([3, 4]);
  await expect
    .poll(() => second.messages.map(({ type }) => type))
    .toEqual(['connection', 'resumed', 'x', 'x', 'caught_up']);
});

test.each([
  { kind: 'raw', path: '/ws/project/P', hello: [] },
  {
    kind: 'Socket.IO',
    path: '/socket.io/?EIO=4&transport=websocket',
    hello: ['40/events,{"token":"TOKEN"}', '42/events,["subscribe.project",{"project_id":"P"}]'],
  },
])(
  '[MEM] a $kind client that never reads again is disconnected and forgotten',
  async ({ path, hello }) => {
    await using gateway = await startGateway();
    const token = await tokenFor('alice', { projects: ['P'] });
    const url = `${gateway.url.replace('http', 'ws')}${path}`;
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    using _ = { [Symbol.dispose]: () => socket.terminate() };
    await once(socket, 'open');
    const said: string[] = [];
    socket.on('message', (data) => said.push(data.toString()));
    for (const packet of hello) {
      socket.send(packet.replace('TOKEN', token));
      await expect
        .poll(() => said.some((text) => text.startsWith('42/events,["connec')))
        .toBe(true);
    }
    const subscribed = () =>
      [...gateway.hub.sessions].filter(({ subscriptions }) => subscriptions.has('project:P'))
        .length;
    await expect.poll(subscribed).toBe(1);
    const [session] = gateway.hub.sessions;
    await expect.poll(() => session?.subscriptions.get('project:P')?.holding).toBe(false);
    socket.pause();
    for (
      let turn = 0;
      turn < 500 && gateway.telemetry.of('slow_consumer').length === 0;
      turn += 1
    ) {
      await gateway.publish({ type: 'x', data: { BIG }, project_id: 'P' });
      await setImmediate();
    }
    expect(gateway.telemetry.of('slow_consumer')).toHaveLength(1);
    await expect.poll(() => gateway.hub.sessions.size, { timeout: 10_000 }).toBe(0);
  },
);

test('[ORD] [DUP] new publications do not overtake a resume with a slow history read', async () => {
  const broker = new SlowHistory(new MemoryStore(memoryLimits()));
  const clock = new HurriedClock();
  await using gateway = await startGateway({}, { broker, clock });
  const token = await tokenFor('alice', { projects: ['P'] });
  const publish = (n: number) => gateway.publish({ type: 'x', data: { n }, project_id: 'P' });
  await publish(1);
  using first = new RawClient(gateway.url, '/ws/project/P', token);
  await expect.poll(() => first.of('connection')).toHaveLength(1);
  first.say({ action: 'subscribe', project_id: 'P' });
  await expect.poll(() => first.of('subscribed')).toHaveLength(1);
  const cursor = first.of('subscribed')[0]?.data['cursor'];
  await publish(2);
  await publish(3);
  using second = new RawClient(gateway.url, '/ws/project/P', token);
  await expect.poll(() => second.of('connection')).toHaveLength(1);
  second.say({ action: 'subscribe', project_id: 'P', since: cursor });
  await expect.poll(() => broker.asked).toBe(1);
  clock.hurry(150); // longer than a fresh connection waits for cursors
  await publish(4);
  broker.answer();
  await expect.poll(() => second.of('x').map(({ data }) => data['n'])).toEqual([2, 3, 4]);
});

test('[ORD] [MEM] Socket.IO confirmations keep their place among publications and count towards the outbox', async () => {
  await using gateway = await startGateway();
  const token = await tokenFor('alice', { projects: ['P'] });
  const socket = io(`${gateway.url}/events`, { auth: { token } });
  using _ = { [Symbol.dispose]: () => void socket.disconnect() };
  const heard: string[] = [];
  socket.onAny((name: string) => heard.push(name));
  for (let round = 0; round < 15; round += 1) {
    await socket.emitWithAck('subscribe.project', { project_id: 'P' });
    const unsubscribed = socket.emitWithAck('unsubscribe.project', { project_id: 'P' });
    for (let n = 0; n < 20; n += 1) {
      await gateway.publish({ type: 'x', data: { n }, project_id: 'P' });
    }
    await unsubscribed;
    heard.push('acknowledged');
    await socket.emitWithAck('ping', {});
    expect(heard.slice(heard.lastIndexOf('acknowledged'))).not.toContain('x');
    expect(heard.slice(heard.lastIndexOf('unsubscribed.project'))).not.toContain('x');
  }
});

test('[RE2] lost publications are reported as a resync with the cursor to continue from', async () => {
  await using gateway = await startGateway();
  const token = await tokenFor('alice', { projects: ['P'] });
  using raw = new RawClient(gateway.url, '/ws/project/P', token);
  const socket = io(`${gateway.url}/events`, { auth: { token } });
  using _ = { [Symbol.dispose]: () => void socket.disconnect() };
  const heard: unknown[] = [];
  socket.on('resync', (told) => heard.push(told));
  await expect.poll(() => raw.of('connection')).toHaveLength(1);
  await socket.emitWithAck('subscribe.project', { project_id: 'P' });
  gateway.hub.resync('project:P', { epoch: 'lost', offset: 7 });
  const told = { channel: 'project:P', cursor: 'lost.7' };
  await expect.poll(() => raw.of('resync').map(({ data }) => data)).toEqual([told]);
  await expect.poll(() => heard).toEqual([{ ...told, timestamp: expect.any(String) }]);
});

test('[MEM] a Socket.IO connection without a session cannot fill the memory by not reading', async () => {
  await using gateway = await startGateway();
  using client = await EngineClient.open(gateway.url);
  client.socket.pause();
  // Each refusal repeats the name that the client sent.
  for (let n = 0; n < 300; n += 1) {
    client.say(`40/${'x'.repeat(60_000)}${n},`);
    await setImmediate();
  }
  await expect.poll(() => gateway.connections(), { timeout: 8000 }).toBe(0);
});

test('[DUP] a fresh token for all projects brings each publication once', async () => {
  await using gateway = await startGateway();
  const some = await tokenFor('alice', { projects: ['A'] });
  using client = new RawClient(gateway.url, '/ws/notifications', some);
  await expect.poll(() => client.of('connection')).toHaveLength(1);
  client.say({ action: 'auth', token: await tokenFor('alice', { projects: ['*'] }) });
  await expect.poll(() => client.of('authenticated')).toHaveLength(1);
  await gateway.publish({ type: 'x', data: { n: 1 }, project_id: 'A' });
  await gateway.publish({ type: 'x', data: { n: 2 }, project_id: 'B' });
  await expect.poll(() => client.of('x').map(({ data }) => data['n'])).toEqual([1, 2]);
});
