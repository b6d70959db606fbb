import { post, RawClient, SocketClient, tokenFor, wsUrl } from '@leque/lab';
import { type Nodes, startNodes } from '@leque/testkit';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const MAX = 1_048_576;
/** Room for the other fields of the event. */
const TEXT = 'x'.repeat(MAX - 300);
const PATIENCE_MS = 20_000;

describe('events of 1 MiB', () => {
  let nodes: Nodes;
  let url: string;
  let redis: Redis;
  beforeAll(async () => {
    nodes = await startNodes(1, { MAX_EVENT_SIZE: String(MAX), OUTBOX_MAX_BYTES: String(4 * MAX) });
    url = nodes.nodes[0]?.url ?? '';
    redis = new Redis(nodes.redis.url);
  });
  afterAll(async () => {
    redis?.disconnect();
    await nodes?.[Symbol.asyncDispose]();
  });

  const publish = (event: object) => post(`${url}/api/publish`, event);
  const large = (projectId: string, n: number) => ({
    type: 'task.large',
    project_id: projectId,
    data: { n, text: TEXT },
  });
  const fcall = (projectId: string, event: object) => {
    const key = `${nodes.prefix}{project:${projectId}}`;
    return redis.call('FCALL', 'leque_publish', '1', key, JSON.stringify(event));
  };

  test('[EV1.5] [MEM] reach raw and Socket.IO clients, over HTTP, FCALL and PUBLISH, and come back in a resume', async () => {
    await using raw = await RawClient.connect(wsUrl(url, '/ws/project/large'));
    const auth = { projects: true };
    const token = tokenFor('ana', { projects: ['large'] });
    await using socket = await SocketClient.connect(url, { token, auth });
    const { data } = await raw.subscribe('large');
    expect((await publish(large('large', 1))).status).toBe(200);
    expect(await fcall('large', large('large', 2))).toMatchObject({ 2: 2, 3: 0 });
    await redis.publish(`${nodes.prefix}{project:large}`, JSON.stringify(large('large', 3)));
    for (const n of [1, 2, 3]) {
      const isNth = ({ data }: { data?: unknown }) => (data as { n?: number } | undefined)?.n === n;
      const received = await raw.first(isNth, PATIENCE_MS);
      expect(received.data['text']).toHaveLength(TEXT.length);
      for (const name of ['task.large', 'task.event']) {
        const emitted = await socket.first(name, isNth);
        expect((emitted['data'] as { text: string }).text).toHaveLength(TEXT.length);
      }
    }
    await using back = await RawClient.connect(wsUrl(url, '/ws/project/large?resume=1'));
    const second = raw.all('task.large')[0]?.cursor;
    expect(data['cursor']).toEqual(expect.any(String));
    const { data: outcome } = await back.subscribe('large', second);
    expect(outcome['recovered']).toBe(true);
    expect((await back.first('task.large', PATIENCE_MS)).data['n']).toBe(2);
  });

  test('[RE1.5] [GAP] are replayed one after the other, although all of them exceed an outbox', async () => {
    const cursors: string[] = [];
    for (let n = 0; n <= 6; n += 1) {
      const { body } = await publish(large('replayed', n));
      cursors.push(String(body['cursor']));
    }
    await using client = await RawClient.connect(wsUrl(url, '/ws/project/replayed?resume=1'));
    const { data } = await client.subscribe('replayed', cursors[0]);
    expect(data['recovered']).toBe(true);
    await client.first(({ data }) => data['n'] === 6, PATIENCE_MS);
    expect(client.all('task.large').map(({ data }) => data['n'])).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('[EV1.5] are refused above the limit before anything is stored, with the limit and its variable', async () => {
    const tooLarge = { ...large('refused', 1), data: { text: 'x'.repeat(MAX) } };
    const { status, body } = await publish(tooLarge);
    expect({ status, detail: body['detail'] }).toEqual({
      status: 413,
      detail: expect.stringContaining(`at most ${MAX} bytes (MAX_EVENT_SIZE)`),
    });
    await expect(fcall('refused', tooLarge)).rejects.toThrow(`${MAX} bytes (MAX_EVENT_SIZE)`);
    expect(await redis.keys(`${nodes.prefix}*refused*`)).toEqual([]);
  });
});
