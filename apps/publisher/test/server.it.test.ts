import { signToken } from '@leque/auth-jwt';
import { freePorts, RunningProcess, ServerProcess, startRedis, uniquePrefix } from '@leque/testkit';
import { expect, test } from 'vitest';

const entry = 'apps/publisher/src/main.ts';
const API_KEY = 'only-for-tests-api-key';
const env = {
  JWT_SECRET: 'only-for-tests-0123456789abcdefgh',
  PUBLISH_API_KEYS: API_KEY,
  LOG_LEVEL: 'warn',
};
const event = { type: 'tick', data: { n: 1 }, project_id: 'PROJ-001' };

async function startPublisher(redisUrl: string) {
  return ServerProcess.start({
    name: 'publisher',
    entry,
    port: await freePorts(1),
    env: { ...env, REDIS_URL: redisUrl, REDIS_KEY_PREFIX: uniquePrefix() },
  });
}

function publish(url: string, body: unknown = event) {
  return fetch(`${url}/api/publish`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': API_KEY },
    body: JSON.stringify(body),
  });
}

const read = (url: string) => fetch(url, { headers: { 'x-api-key': API_KEY } }).then(jsonOf);

async function jsonOf(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>;
}

test('[ACK] an event that was answered with success is in the history of Redis', async () => {
  await using redis = await startRedis();
  await using publisher = await startPublisher(redis.url);
  const published = await jsonOf(await publish(publisher.url));
  const token = await signToken({
    secret: env.JWT_SECRET,
    userId: 'reader',
    projects: ['PROJ-001'],
    scopes: [],
    expiresInSeconds: 60,
  });
  const history = await fetch(`${publisher.url}/api/channels/project:PROJ-001/history`, {
    headers: { authorization: `Bearer ${token}` },
  }).then(jsonOf);
  expect(history).toMatchObject({
    complete: true,
    cursor: published['cursor'],
    publications: [{ message_id: published['message_id'], cursor: published['cursor'] }],
  });
  await expect
    .poll(async () => (await read(`${publisher.url}/api/ws/stats`))['total_broadcasts'])
    .toBe(1);
  const metrics = await (await fetch(`${publisher.url}/metrics`)).text();
  expect(metrics).toContain('leque_events_stored_total 1');
});

test('[HON] without Redis a publisher answers 503 within a second, is alive but not ready, and recovers', async () => {
  await using redis = await startRedis({ own: true });
  await using publisher = await startPublisher(redis.url);
  await redis.kill();
  for (const body of [event, [event, event]]) {
    const startedAt = performance.now();
    const answer = await publish(publisher.url, body);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(answer.headers.get('content-type')).toMatch('application/problem+json');
  }
  await expect
    .poll(async () => (await fetch(`${publisher.url}/readyz`)).status, { timeout: 5_000 })
    .toBe(503);
  expect((await fetch(`${publisher.url}/healthz`)).status).toBe(200);
  await redis.restart();
  await expect
    .poll(async () => (await publish(publisher.url)).status, { timeout: 10_000 })
    .toBe(200);
});

test('a process that receives SIGTERM ends cleanly', async () => {
  await using redis = await startRedis();
  await using publisher = await startPublisher(redis.url);
  await publish(publisher.url);
  expect(await publisher.stop('SIGTERM')).toEqual({ code: 0, signal: null });
});

test('a process with a wrong configuration reports every problem and does not start', async () => {
  await using process = new RunningProcess(entry, [], { PORT: 'abc', AUTH_MODE: 'maybe' });
  expect(await process.exited).toEqual({ code: 2, signal: null });
  for (const name of ['PORT', 'AUTH_MODE', 'REDIS_URL']) expect(process.output).toContain(name);
  expect(process.output).not.toContain('    at ');
});
