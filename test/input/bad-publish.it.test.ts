import { request } from 'node:http';
import { expiredTokenFor, get, post, RawClient, tokenFor, wsUrl } from '@leque/lab';
import {
  type ServerProcess,
  startLeque,
  startRedis,
  TEST_API_KEY,
  uniquePrefix,
} from '@leque/testkit';
import { describeOnOwnRedis } from '@leque/testkit/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const WITH_KEY = { authorization: `Bearer ${TEST_API_KEY}` };

describe('a publish request', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await startLeque({ AUTH_MODE: 'required', PUBLISH_API_KEYS: TEST_API_KEY });
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const token = tokenFor('alice', { projects: ['PROJ-A'] });
  const publish = (body: unknown, headers: Record<string, string> = WITH_KEY) =>
    post(`${server.url}/api/publish`, body, headers);
  const event = { type: 'x', project_id: 'PROJ-A', data: {} };

  test('without a valid token gets 401, and without the right to publish 403', async () => {
    for (const path of ['/api/publish', '/api/ws/broadcast']) {
      const send = (headers: Record<string, string>) =>
        post(`${server.url}${path}`, event, headers);
      const statuses = [
        (await send({})).status,
        (await send({ authorization: 'Bearer not-a-key' })).status,
        (await send({ authorization: `Bearer ${expiredTokenFor('alice')}` })).status,
        (await send({ authorization: `Bearer ${token}` })).status,
        (await send({ authorization: `Bearer ${tokenFor('ci', { scope: 'stats' })}` })).status,
      ];
      expect({ path, statuses }).toEqual({ path, statuses: [401, 401, 401, 403, 403] });
      const publisher = tokenFor('ci', { scope: 'publish', projects: ['*'] });
      expect((await send({ authorization: `Bearer ${publisher}` })).status).toBe(200);
      expect((await send(WITH_KEY)).status).toBe(200);
    }
    for (const path of ['stats', 'connections', 'project/PROJ-A/subscribers']) {
      expect((await get(`${server.url}/api/ws/${path}`)).status).toBe(401);
    }
  });

  test('with a malformed body gets a problem document with status 400 that names the field', async () => {
    const { status, headers, body } = await publish({ ...event, project_id: 'a\nb' });
    expect(status).toBe(400);
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect(JSON.stringify(body)).toContain('project_id');
    for (const text of ['', '{', 'null', '"text"', '\u0000', '{"type":"x","data":{}}}']) {
      const answer = await publish(text);
      expect({ text, status: answer.status }).toEqual({ text, status: 400 });
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
    }
    const form = await publish('type=x', { ...WITH_KEY, 'content-type': 'text/plain' });
    expect(form.status).toBe(415);
  });

  test('with an event above 64 KiB, or with an endless body, gets 413', async () => {
    const large = { ...event, data: { text: 'x'.repeat(65_536) } };
    expect((await publish(large)).status).toBe(413);
    expect(await statusOfEndless(`${server.url}/api/publish`)).toBe(413);
    const fits = { ...event, data: { text: 'x'.repeat(64_000) } };
    expect((await publish(fits)).status).toBe(200);
  });

  test('with a batch of 1,001 events gets 400', async () => {
    expect((await publish(new Array(1001).fill(event))).status).toBe(400);
  });

  test('with a `__proto__` member is refused like one with any unknown member', async () => {
    const text = '{"type":"x","data":{},"__proto__":{"channel":"all"}}';
    expect((await publish(text)).status).toBe(400);
  });
});

describeOnOwnRedis('without Redis', () => {
  test('[HON] [LIVE] a publish gets 503 with Retry-After within a second, and readiness fails within 5 s', async () => {
    await using redis = await startRedis({ own: true });
    await using node = await startLeque({
      REDIS_URL: redis.url,
      REDIS_KEY_PREFIX: uniquePrefix(),
    });
    await using client = await RawClient.connect(wsUrl(node.url, '/ws/project/PROJ-R'));
    const send = () =>
      post(`${node.url}/api/publish`, { type: 'x', project_id: 'PROJ-R', data: {} });
    expect((await send()).status).toBe(200);
    await redis.kill();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const startedAt = performance.now();
      const { status, headers } = await send();
      expect(status).toBe(503);
      expect(performance.now() - startedAt).toBeLessThan(1200);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(headers.get('content-type')).toContain('application/problem+json');
    }
    const ready = async () => (await get(`${node.url}/readyz`)).status;
    await expect.poll(ready, { timeout: 5000 }).toBe(503);
    expect((await get(`${node.url}/healthz`)).status).toBe(200);
    await redis.restart();
    await expect.poll(async () => (await send()).status, { timeout: 10_000 }).toBe(200);
    await expect.poll(ready, { timeout: 10_000 }).toBe(200);
    // Redis came back empty, so the client has to receive a resync or the event.
    await expect
      .poll(() => client.all('x').length + client.all('resync').length)
      .toBeGreaterThan(1);
  });
});

/** Sends an endless body until the server answers. */
async function statusOfEndless(url: string): Promise<number | undefined> {
  const sending = request(url, {
    method: 'POST',
    headers: { ...WITH_KEY, 'content-type': 'application/json' },
  });
  const chunk = 'x'.repeat(65_536);
  const feed = setInterval(() => sending.write(chunk), 0);
  try {
    return await new Promise((resolve, reject) => {
      sending.on('response', ({ statusCode }) => resolve(statusCode));
      sending.on('error', reject);
    });
  } finally {
    clearInterval(feed);
    sending.on('error', () => {}).destroy();
  }
}
