import { get, post, RawClient, tokenFor, wsUrl } from '@leque/lab';
import { type ServerProcess, startLeque } from '@leque/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** Counts are correct within a second; twice that allows for a busy machine. */
const SOON = { timeout: 2000, interval: 25 };
const PROJECT = 'PROJ-slow';
const EVENT_BYTES = 60_000;
/** More bytes than the outbox limit and the kernel's buffers of one connection hold together. */
const EVENTS = 500;

describe('a client that does not read', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await startLeque();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const connections = async () => (await get(`${server.url}/api/ws/connections`)).body['count'];
  const slowClosed = async () => {
    const metrics = await (
      await fetch(`${server.url}/metrics`, { signal: AbortSignal.timeout(5000) })
    ).text();
    return Number(/^leque_slow_consumers_total(?:{.*})? (\d+)$/m.exec(metrics)?.[1]);
  };
  const publishAll = async () => {
    const data = { text: 'x'.repeat(EVENT_BYTES) };
    for (let n = 1; n <= EVENTS; n += 1) {
      const event = { type: 'large', project_id: PROJECT, data: { n, ...data } };
      expect((await post(`${server.url}/api/publish`, event)).status).toBe(200);
    }
  };

  test('[MEM] [ORD] is closed with 4008 on raw WebSocket while the others receive everything in order', async () => {
    const url = wsUrl(server.url, `/ws/project/${PROJECT}`);
    await using slow = await RawClient.connect(url);
    await using fast = await RawClient.connect(url);
    // A first command ends the time in which events wait for a client's cursors.
    for (const client of [slow, fast]) await client.ask({ action: 'ping' });
    slow.socket.pause();
    const closing = expect.poll(slowClosed, { timeout: 20_000, interval: 50 }).toBe(1);
    // A closed client has three seconds to read its close frame, which may be less than publishing takes.
    const reading = closing.then(() => slow.socket.resume());
    await publishAll();
    await reading;
    await fast.first(({ data }) => data['n'] === EVENTS);
    expect(fast.all('large').map(({ data }) => data['n'])).toEqual(
      Array.from({ length: EVENTS }, (_, index) => index + 1),
    );
    expect(await slow.closed).toMatchObject({ code: 4008 });
    await expect.poll(connections, SOON).toBe(1);
    // The events that it received are in order and without holes.
    const got = slow.all('large').map(({ data }) => data['n']);
    expect(got).toEqual(got.map((_, index) => index + 1));
    expect(got.length).toBeLessThan(EVENTS);
  }, 30_000);

  test('[MEM] is closed on Socket.IO while the others receive everything', async () => {
    await expect.poll(connections, SOON).toBe(0);
    const slow = await RawClient.open(wsUrl(server.url, '/socket.io/?EIO=4&transport=websocket'));
    await using _slow = slow;
    const token = tokenFor('slow', { projects: [PROJECT] });
    const said = (start: string) =>
      slow.first(({ data }) => String(data['text']).startsWith(start));
    slow.send(`40/events,${JSON.stringify({ token })}`);
    await said('42/events,["connected"');
    slow.send(`42/events,["subscribe.project",{"project_id":"${PROJECT}"}]`);
    await said('42/events,["subscribed.project"');
    await using fast = await RawClient.connect(wsUrl(server.url, `/ws/project/${PROJECT}`));
    await fast.ask({ action: 'ping' });
    slow.socket.pause();
    await publishAll();
    await fast.first(({ data }) => data['n'] === EVENTS);
    slow.socket.resume();
    await slow.closed;
    const got = slow.events.filter(({ data }) =>
      String(data['text']).startsWith('42/events,["large"'),
    );
    expect(got.length).toBeLessThan(EVENTS);
    await expect.poll(connections, SOON).toBe(1);
  }, 40_000);
});

test('[GAP] [MEM] a client that reads is not closed by a batch larger than its outbox', async () => {
  await using server = await startLeque();
  await using client = await RawClient.connect(wsUrl(server.url, `/ws/project/${PROJECT}`));
  await client.ask({ action: 'ping' });
  const text = 'x'.repeat(1200); // 1.4 MB in all, the outbox has 1 MiB
  const batch = Array.from({ length: 1000 }, (_, n) => ({
    type: 'numbered',
    project_id: PROJECT,
    data: { n, text },
  }));
  expect((await post(`${server.url}/api/publish`, batch)).status).toBe(200);
  const last = client.first(({ data }) => data['n'] === 999);
  expect(await Promise.race([last, client.closed])).toMatchObject({ data: { n: 999 } });
  expect(client.all('numbered').map(({ data }) => data['n'])).toEqual(
    batch.map(({ data }) => data.n),
  );
});
