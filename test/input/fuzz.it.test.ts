import { get, post, RawClient, SocketClient, tokenFor, wsUrl } from '@leque/lab';
import { type Nodes, startNodes } from '@leque/testkit';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { inputs, SEED, sample } from '../support/fuzz-inputs.ts';

/** Fewer frames than the limit at which a flood of commands closes the connection. */
const FRAMES_PER_CONNECTION = 40;
/** Few, because a packet that violates the protocol ends its connection and hides the packets behind it. */
const PACKETS_PER_CONNECTION = 4;
const CONNECTIONS_AT_A_TIME = 8;
/** Frames with cursors: when unreadable, they end the connection (RE4.6) before later frames are read. */
const MAY_END = /resume|cursors|since/;

/** No input may end a process. After thousands of inputs at each entrance the server must still work. */
describe('no process ends on random and mutated', () => {
  let cluster: Nodes;
  let url = '';
  const pids = () => cluster.nodes.map(({ pid }) => pid);
  let startedWith: number[] = [];
  beforeAll(async () => {
    process.stdout.write(`fuzz: FUZZ_SEED=${SEED}\n`);
    // Connections that were ended for their input count for half a second longer.
    cluster = await startNodes(2, { MAX_CONNECTIONS_PER_USER: '0' });
    startedWith = pids();
    url = cluster.nodes[0]?.url ?? '';
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  afterEach(async () => {
    for (const { running, output } of cluster.nodes)
      expect(running, output.slice(-2000)).toBe(true);
    expect(pids()).toEqual(startedWith);
    await expectNormalUse(cluster.nodes.map((node) => node.url));
  });

  test(`raw WebSocket frames, seed ${SEED}`, async () => {
    const frames = sample(inputs.commands, 2000);
    const token = tokenFor('fuzz', { projects: ['P'] });
    const places: [string, object][] = [
      ['/ws/notifications', {}],
      ['/ws/notifications', { token }],
      ['/ws/project/P', { token }],
      ['/ws/logs', {}],
    ];
    const withCursors = frames.filter((frame) => MAY_END.test(frame));
    const others = frames.filter((frame) => !MAY_END.test(frame));
    const groups = [
      ...chunks(others, FRAMES_PER_CONNECTION).map((group) => ({ group, end: 'pong' })),
      ...chunks(withCursors, PACKETS_PER_CONNECTION).map((group) => ({ group, end: 'either' })),
    ];
    await inGroups(groups, async ({ group, end }, index) => {
      const [path, options] = places[index % places.length] ?? ['', {}];
      await using client = await RawClient.connect(wsUrl(url, path), options);
      for (const frame of group) client.send(frame);
      // Every text frame is answered, and no answer reports an internal error.
      const answer = client.ask({ action: 'ping' });
      const outcome = await Promise.race([answer, client.closed]);
      const ended = end === 'either' && 'code' in outcome;
      expect(outcome).toMatchObject(ended ? { code: 1008 } : { type: 'pong' });
      for (const { data } of client.all('error')) {
        expect(data).toMatchObject({ code: expect.any(String), message: expect.any(String) });
        expect(data['code']).not.toBe('internal');
      }
    });
  }, 60_000);

  test(`raw WebSocket bytes, seed ${SEED}`, async () => {
    const texts = sample(inputs.commands, 400);
    await inGroups(texts, async (text, index) => {
      await using client = await RawClient.connect(wsUrl(url, '/ws/notifications'));
      const bytes = Buffer.from(text);
      for (let at = index % 7; at < bytes.length; at += 7) bytes[at] = (bytes[at] ?? 0) ^ 0xff;
      client.socket.send(bytes, { binary: index % 5 === 0 });
      client.send('ping');
      await Promise.race([client.closed, client.inbox.first(({ type }) => type !== 'connection')]);
    });
  }, 60_000);

  test(`Socket.IO packets, seed ${SEED}`, async () => {
    const packets = sample(inputs.enginePackets, 2000);
    const endpoint = wsUrl(url, '/socket.io/?EIO=4&transport=websocket');
    await inGroups(chunks(packets, PACKETS_PER_CONNECTION), async (group, index) => {
      const socket = new WebSocket(endpoint);
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.on('error', () => {});
      await new Promise((resolve) => socket.once('open', resolve));
      if (index % 2 === 0) socket.send(`40/events,{"token":"${tokenFor('fuzz')}"}`);
      for (const packet of group) if (socket.readyState === WebSocket.OPEN) socket.send(packet);
      const acknowledged = new Promise((resolve) => {
        socket.on('message', (text) => String(text) === '3probe' && resolve(undefined));
      });
      socket.send('2probe', () => {});
      await Promise.race([closed, acknowledged, rejectLate('no answer and no end')]);
      socket.terminate();
    });
  }, 60_000);

  test(`Socket.IO polling bodies, seed ${SEED}`, async () => {
    const bodies = sample(inputs.enginePackets, 300);
    const endpoint = `${url}/socket.io/?EIO=4&transport=polling`;
    await inGroups(bodies, async (body, index) => {
      const opened = await (await fetch(endpoint)).text();
      const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
      const to =
        index % 10 === 0 ? `${endpoint}&sid=${encodeURIComponent(body)}` : `${endpoint}&sid=${sid}`;
      const { status } = await post(to, body, { 'content-type': 'text/plain' });
      expect(status).toBeLessThan(500);
    });
  }, 60_000);

  test(`HTTP bodies, seed ${SEED}`, async () => {
    const bodies = sample(inputs.events, 3000);
    const types = [
      'application/json',
      'application/json',
      'application/json; charset=x',
      'text/plain',
      'a',
    ];
    await inGroups(bodies, async (body, index) => {
      const path = index % 3 === 0 ? '/api/ws/broadcast' : '/api/publish';
      const key: Record<string, string> =
        index % 7 === 0 ? { 'idempotency-key': `k${index % 50}` } : {};
      const type = { 'content-type': types[index % types.length] ?? '' };
      const answer = await post(`${url}${path}`, body, { ...type, ...key });
      expect(answer.status, `${path} ${body}`).toBeLessThan(500);
      if (answer.status < 400) return;
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
    });
  }, 60_000);

  test(`paths and queries, seed ${SEED}`, async () => {
    const texts = sample(inputs.commands, 400).map((text) =>
      encodeURIComponent(text.toWellFormed()),
    );
    const places = [
      (text: string) => `/api/ws/project/${text}/subscribers`,
      (text: string) => `/api/channels/${text}/history`,
      (text: string) => `/api/channels/all/history?since=${text}&limit=${text}`,
      (text: string) => `/${text}`,
      (text: string) => `/socket.io/?EIO=4&transport=${text}`,
    ];
    await inGroups(texts, async (text, index) => {
      const path = places[index % places.length]?.(text.slice(0, 2000)) ?? '';
      const { status } = await get(`${url}${path}`);
      expect(status, path).toBeLessThan(500);
    });
  }, 60_000);

  test(`Redis PUBLISH, seed ${SEED}`, async () => {
    const payloads = sample(inputs.redisPayloads, 3000);
    await using client = await RawClient.connect(wsUrl(url, '/ws/notifications'));
    await using _project = await RawClient.connect(wsUrl(url, '/ws/project/P'));
    await using _logs = await RawClient.connect(wsUrl(url, '/ws/logs?level=info'));
    const token = tokenFor('u');
    await using _user = await SocketClient.connect(url, { token });
    const channels = ['{all}', '{project:P}', '{logs}', 'firehose', '{user:u}', 'control'];
    const redis = new Redis(cluster.redis.url);
    try {
      const heard = await Promise.all(
        payloads.map((payload, index) =>
          redis.publish(`${cluster.prefix}${channels[index % channels.length]}`, payload),
        ),
      );
      expect(heard.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(payloads.length / 2);
    } finally {
      redis.disconnect();
    }
    expect(await client.ask({ action: 'ping' })).toMatchObject({ type: 'pong' });
  }, 60_000);
});

/** Checks fan-out to both protocols over both nodes. */
async function expectNormalUse([one = '', other = '']: readonly string[]): Promise<void> {
  const projectId = `PROJ-${crypto.randomUUID()}`;
  await using raw = await RawClient.connect(wsUrl(one, '/ws/notifications'));
  expect(await raw.subscribe(projectId)).toMatchObject({ type: 'subscribed' });
  const token = tokenFor('normal');
  await using socket = await SocketClient.connect(one, { token });
  const data = { taskId: 'T', userId: 'normal', agentId: 'A' };
  const events = [
    { type: 'deploy', project_id: projectId, data: {} },
    { type: 'task.created', user_id: 'normal', data },
  ];
  expect((await post(`${other}/api/publish`, events)).body).toMatchObject({
    results: [{ status: 'stored' }, { status: 'stored' }],
  });
  await raw.first('deploy');
  await socket.first('task.event');
  for (const url of [one, other]) {
    expect((await get(`${url}/readyz`)).status).toBe(200);
    expect((await get(`${url}/api/ws/stats`)).status).toBe(200);
  }
}

async function inGroups<T>(
  items: readonly T[],
  use: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const queue = items.entries();
  const lane = async () => {
    for (const [index, item] of queue) await use(item, index);
  };
  await Promise.all(Array.from({ length: CONNECTIONS_AT_A_TIME }, lane));
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}

function rejectLate(message: string): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(message)), 5000).unref();
  });
}
