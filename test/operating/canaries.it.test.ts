import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { get, post, RawClient, SocketClient, tokenFor, wsUrl } from '@leque/lab';
import {
  type Env,
  freePorts,
  RunningProcess,
  startCluster,
  startCollector,
  startRedis,
  startSentinel,
  TEST_API_KEY,
} from '@leque/testkit';
import { type ExpectStatic, expect, test } from 'vitest';
import { redisCommand } from '../support/redis-client.ts';

/** Stands in every password, token, payload and key of these tests. */
const CANARY = 'c4n4ryS3cr3t';
/** A token that nobody accepts; its signature has the canary as it is, its claims encoded. */
const TOKEN = `${tokenFor('alice').split('.').slice(0, 2).join('.')}.${CANARY}`;
const QUERY = `?token=${CANARY}&token=${TOKEN}&access_token=${CANARY}`;
const PATIENCE = { timeout: 30_000 };
/** Such a process ends with this sentence. */
const REFUSED = /refuses the user or the password in REDIS_URL/;
const APPS = ['gateway', 'publisher'] as const;

/** Starts an app that does not become ready, and returns its output once that matches. */
async function outputOf(
  app: (typeof APPS)[number],
  env: Env,
  { expect, pattern }: { expect: ExpectStatic; pattern: RegExp },
): Promise<string> {
  const port = await freePorts(1);
  const shared = { HOST: '127.0.0.1', PORT: String(port), LOG_LEVEL: 'trace', AUTH_MODE: 'open' };
  await using running = new RunningProcess(`apps/${app}/src/main.ts`, [], { ...shared, ...env });
  await expect.poll(() => running.output, PATIENCE).toMatch(pattern);
  const url = `http://127.0.0.1:${port}`;
  const serves = () => get(`${url}/healthz`).then(Boolean, () => false);
  await expect.poll(async () => !running.running || (await serves()), PATIENCE).toBe(true);
  const answers: string[] = [];
  for (const path of running.running ? ['readyz', 'metrics', 'api/ws/stats'] : []) {
    answers.push(JSON.stringify((await get(`${url}/${path}`)).body));
  }
  await running.stop();
  return [running.output, ...answers].join('\n');
}

describeStarts('with a password that Redis refuses', REFUSED, async (check) => {
  await using redis = await startRedis({ own: true });
  await check(`redis://user:${CANARY}@127.0.0.1:${redis.port}`);
  await redisCommand(redis.url, 'CONFIG', 'SET', 'requirepass', 'another');
  await check(`redis://:${CANARY}@127.0.0.1:${redis.port}`);
});

describeStarts('behind Sentinel, with a password that Redis refuses', REFUSED, async (check) => {
  await using group = await startSentinel();
  await check(group.url.replace('://', `://user:${CANARY}@`));
});

describeStarts('with a Redis that is away', /ECONNREFUSED/, async (check) => {
  await check(`redis://user:${CANARY}@127.0.0.1:${await freePorts(1)}`);
});

describeStarts('with a URL that cannot be read', /REDIS_URL/, async (check) => {
  await check(`http://user:${CANARY}@127.0.0.1/${CANARY}`);
  await check(`redis://user:${CANARY}@127.0.0.1:70000x/${CANARY}`);
});

function describeStarts(
  how: string,
  pattern: RegExp,
  run: (check: (url: string) => Promise<void>) => Promise<void>,
): void {
  test.concurrent(`a process that starts ${how} shows no secret in its log, answers and metrics`, async ({
    expect,
  }) => {
    await run(async (url) => {
      const outputs = APPS.map((app) => outputOf(app, { REDIS_URL: url }, { expect, pattern }));
      for (const output of await Promise.all(outputs)) expect(output).not.toContain(CANARY);
    });
  }, 90_000);
}

test('no refused credential, body or key is in a log line, an answer, a metric or a trace', async () => {
  await using collector = await startCollector();
  await using redis = await startRedis({ own: true });
  await using cluster = await startCluster({
    gateways: 1,
    env: {
      REDIS_URL: redis.url,
      LOG_LEVEL: 'trace',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_TRACES_SAMPLER_ARG: '1',
    },
  });
  const api = cluster.publisher.url;
  const gateway = cluster.url(0);
  const answers: unknown[] = [];
  const note = async (answer: Promise<{ status: number; body: unknown; headers: Headers }>) => {
    const { status, body, headers } = await answer;
    answers.push(status, body, [...headers]);
  };

  // Credentials, in every place that may hold one, of both processes.
  for (const base of [api, gateway]) {
    for (const path of [`/nowhere/${QUERY}`, `/api/ws/stats${QUERY}`, `/%E0%A4%A${QUERY}`]) {
      await note(get(`${base}${path}`));
      await note(get(`${base}${path}`, { authorization: `Bearer ${TOKEN}` }));
      await note(get(`${base}${path}`, { authorization: `Bearer ${CANARY}` }));
      await note(get(`${base}${path}`, { authorization: `Basic ${CANARY}` }));
      await note(get(`${base}${path}`, { 'x-api-key': CANARY }));
    }
  }
  for (const path of ['/ws/notifications', '/ws/project/P', '/ws/%E0', '/ws/logs', '/ws/nowhere']) {
    const url = `${gateway}${path}`;
    answers.push(await refusedUpgrade(`${url}${QUERY}`, 'leque'));
    answers.push(await refusedUpgrade(url, `leque, bearer.${TOKEN}`));
  }
  for (const token of [TOKEN, CANARY]) {
    for (const options of [{ token }, { query: { token } }]) {
      const failed = await SocketClient.connect(gateway, options).catch((error: unknown) => error);
      answers.push(failed instanceof Error ? failed.message : failed);
    }
  }

  // Bodies, with and without authority.
  const key = { 'idempotency-key': `${CANARY}-key` };
  const bodies = [
    `{"type":"note","data":{"secret":${CANARY}}}`,
    CANARY,
    `"${CANARY}"`,
    { type: 'note', data: CANARY, channel: 'all' },
    { type: 7, data: { [`x${CANARY}`]: 1 }, channel: 'all' },
    { type: 'task.created', data: { id: 1, userId: { [CANARY]: CANARY } } },
    [{ type: 'note', data: { secret: CANARY } }, CANARY],
  ];
  for (const body of bodies) {
    await note(post(`${api}/api/publish`, body, key));
    await note(post(`${api}/api/publish`, body, { ...key, 'x-api-key': TEST_API_KEY }));
    await note(post(`${api}/api/ws/broadcast`, body, { ...key, 'x-api-key': TEST_API_KEY }));
  }

  // A Redis that refuses to store anything.
  const event = { type: 'note', data: { secret: CANARY }, project_id: 'W' };
  await using client = await RawClient.connect(wsUrl(gateway, '/ws/notifications'), {
    token: tokenFor('alice', { projects: ['W'] }),
  });
  await redisCommand(redis.url, 'CONFIG', 'SET', 'maxmemory', '1');
  await note(post(`${api}/api/publish`, event, { ...key, 'x-api-key': TEST_API_KEY }));
  await note(post(`${api}/api/publish`, [event], { ...key, 'x-api-key': TEST_API_KEY }));
  client.send({ action: 'subscribe', project_id: 'W', since: `${CANARY}:1` });
  client.send({ action: 'auth', token: TOKEN, grants: [TOKEN, CANARY] });
  client.send({ action: 'subscribe', project_id: 'X', grant: TOKEN });
  client.send({ action: CANARY.repeat(10) });
  client.send(`{"action":${CANARY}`);
  await expect.poll(() => client.events.length, PATIENCE).toBeGreaterThan(3);
  answers.push(client.events);

  // A Redis that goes away while this is stored.
  await redis.kill();
  await note(post(`${api}/api/publish`, event, { ...key, 'x-api-key': TEST_API_KEY }));
  await note(get(`${api}/readyz`));
  await note(get(`${gateway}/readyz`));
  await note(get(`${api}/metrics`));
  await note(get(`${gateway}/metrics`));
  await expect.poll(() => collector.spans.length, PATIENCE).toBeGreaterThan(0);

  expect(answers.length).toBeGreaterThan(100);
  expect(JSON.stringify(answers)).not.toContain(CANARY);
  expect(JSON.stringify([collector.spans, collector.resources])).not.toContain(CANARY);
  for (const { output } of [cluster.publisher, ...cluster.gateways]) {
    expect(output).not.toContain(CANARY);
    expect(output).not.toContain('eyJ');
  }
}, 120_000);

/** The whole answer to an upgrade that the server refuses. */
async function refusedUpgrade(url: string, protocols: string): Promise<unknown> {
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-protocol': protocols,
  };
  const asking = request(url, { headers, agent: false, timeout: 5000 }).end();
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  return [answer.statusCode, answer.headers, await text(answer)];
}
