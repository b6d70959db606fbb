import { type Envelope, post, RawClient, SocketClient, tokenFor, wsUrl } from '@leque/lab';
import { type Nodes, startNodes } from '@leque/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** A client waits for about a second before it reconnects. */
const BACK = { timeout: 10_000, interval: 25 };
/** The default history of a user keeps fewer events than this. */
const TYPING = 220;
const MESSAGES = 20;

describe('events that are live only', () => {
  let cluster: Nodes;
  let urls: string[] = [];
  beforeAll(async () => {
    cluster = await startNodes(2);
    urls = cluster.nodes.map(({ url }) => url);
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  const publish = async (events: object | object[]) => {
    const { status, body } = await post(`${urls[1]}/api/publish`, events);
    expect(status).toBe(200);
    return body;
  };
  const typing = (to: object, n: number) => ({ type: 'typing', live: true, data: { n }, ...to });
  const message = (to: object, n: number) => ({ type: 'message', data: { n }, ...to });
  /** What was typed between messages: a message behind every eleventh. */
  const conversation = (to: object) =>
    Array.from({ length: TYPING }, (_, index) => index + 1).flatMap((n) => [
      typing(to, n),
      ...(n % (TYPING / MESSAGES) === 0 ? [message(to, n)] : []),
    ]);
  const shown = ({ type, data }: Envelope) => `${type} ${data['n']}`;
  const order = (to: object) =>
    conversation(to).map(({ type, data }) => shown({ type, data } as unknown as Envelope));

  test(`[EV7] [EV7.4] [GAP] ${TYPING} typing events cost an agent who is away none of ${MESSAGES} messages`, async () => {
    const to = { user_id: 'agent' };
    const token = tokenFor('agent', { projects: [] });
    await using there = await RawClient.connect(wsUrl(urls[0] ?? '', '/ws/notifications'), {
      token,
    });
    await there.ask({ action: 'ping' });
    await publish(message(to, 0));
    const { cursor } = await there.first(({ type }) => type === 'message');
    await publish(conversation(to));
    await there.first(({ type, data }) => type === 'message' && data['n'] === TYPING);
    const events = there.events.filter(({ channel }) => channel === 'user:agent');
    expect(events.slice(1).map(shown)).toEqual(order(to));
    for (const event of events) {
      if (event.type === 'typing') expect(event).toMatchObject({ live: true, user_id: 'agent' });
      expect('cursor' in event).toBe(event.type === 'message');
    }
    const url = wsUrl(urls[1] ?? '', '/ws/notifications?resume=1');
    await using back = await RawClient.connect(url, { token });
    const { data } = await back.ask({ action: 'resume', cursors: { 'user:agent': cursor } });
    expect(data['channels']).toMatchObject({ 'user:agent': { recovered: true } });
    await publish(typing(to, TYPING + 1));
    await back.first(({ type }) => type === 'typing');
    const missed = back.events.filter(({ type }) => type === 'message' || type === 'typing');
    expect(missed.map(shown)).toEqual([
      ...order(to).filter((each) => each.startsWith('message')),
      `typing ${TYPING + 1}`,
    ]);
  });

  test("[EV7.4] [IO8] over Socket.IO they have one argument, and the client's own recovery goes on beside them", async () => {
    const to = { user_id: 'ana' };
    await using client = await SocketClient.connect(urls[0] ?? '', {
      token: tokenFor('ana', { projects: [] }),
      reconnection: true,
    });
    const heard: [name: string, count: number, n: unknown][] = [];
    const recovered: boolean[] = [];
    client.socket.onAny((name: string, ...args: { data: { n: number } }[]) => {
      if (name === 'typing' || name === 'message') heard.push([name, args.length, args[0]?.data.n]);
    });
    client.socket.on('connect', () => recovered.push(client.socket.recovered));
    await publish([typing(to, 1), message(to, 2), typing(to, 3)]);
    await expect.poll(() => heard, BACK).toHaveLength(3);
    client.socket.io.engine.close();
    await publish([message(to, 4), typing(to, 5), message(to, 6)]);
    await expect.poll(() => recovered, BACK).toEqual([true]);
    await publish(typing(to, 7));
    await expect.poll(() => heard.at(-1), BACK).toEqual(['typing', 1, 7]);
    expect(heard.filter(([, , n]) => n !== 5)).toEqual([
      ['typing', 1, 1],
      ['message', 2, 2],
      ['typing', 1, 3],
      ['message', 2, 4],
      ['message', 2, 6],
      ['typing', 1, 7],
    ]);
  });

  test('[EV7.5] [EV7.6] [MEM] a raw client that does not read loses live-only events alone, and is told how many', async () => {
    const to = { project_id: 'PROJ-live' };
    const url = wsUrl(urls[0] ?? '', '/ws/project/PROJ-live');
    await using slow = await RawClient.connect(url);
    await using fast = await RawClient.connect(url);
    for (const client of [slow, fast]) await client.ask({ action: 'ping' });
    slow.socket.pause();
    const text = 'x'.repeat(60_000);
    const rounds = 25;
    for (let n = 1; n <= rounds; n += 1) {
      await publish([
        ...Array.from({ length: 20 }, () => ({ ...typing(to, n), data: { n, text } })),
        message(to, n),
      ]);
    }
    await fast.first(({ type, data }) => type === 'message' && data['n'] === rounds);
    expect(fast.all('typing')).toHaveLength(20 * rounds);
    slow.socket.resume();
    const told = await slow.first('live.dropped');
    expect(told).toMatchObject({
      channel: 'project:PROJ-live',
      data: { dropped: expect.any(Number) },
    });
    await slow.first(({ type, data }) => type === 'message' && data['n'] === rounds);
    expect(slow.all('message').map(({ data }) => data['n'])).toEqual(
      Array.from({ length: rounds }, (_, index) => index + 1),
    );
    expect(slow.all('typing').length + Number(told.data['dropped'])).toBe(20 * rounds);
    expect(fast.all('live.dropped')).toEqual([]);
  }, 30_000);

  test('[EV7] [WS5.3] they reach clients of all projects by the firehose, and by the clients of one project', async () => {
    const to = { project_id: 'PROJ-fire' };
    const token = tokenFor('operator', { projects: ['*'] });
    const url = wsUrl(urls[0] ?? '', '/ws/notifications');
    await using all = await RawClient.connect(url, { token });
    await all.ask({ action: 'ping' });
    await publish([message(to, 1), typing(to, 2), message(to, 3)]);
    await all.first(({ type, data }) => type === 'message' && data['n'] === 3);
    await all.subscribe('PROJ-fire');
    await publish([typing(to, 4), message(to, 5)]);
    await all.first(({ data }) => data['n'] === 5);
    const heard = all.events.filter(({ channel }) => channel === 'project:PROJ-fire').map(shown);
    expect(heard).toEqual(['message 1', 'typing 2', 'message 3', 'typing 4', 'message 5']);
  });
});
