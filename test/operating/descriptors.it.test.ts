import { RawClient, tokenFor, wsUrl } from '@leque/lab';
import { freePorts, ServerProcess, startRedis, TEST_JWT_SECRET } from '@leque/testkit';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';

const OPEN_FILES = 150;
const CROWD = 140;
const PATIENCE = { timeout: 10_000 };

async function startGateway(redisUrl: string): Promise<ServerProcess> {
  const env = { REDIS_URL: redisUrl, AUTH_MODE: 'required', JWT_SECRET: TEST_JWT_SECRET };
  return ServerProcess.start({
    name: 'gateway',
    entry: 'apps/gateway/src/main.ts',
    port: await freePorts(1),
    env: { ...env, WEBSOCKET_MAX_CONNECTIONS: '1000', DRAIN_GRACE: '0' },
    openFiles: OPEN_FILES,
  });
}

/** Connects as many clients as get in; each has a user of its own. */
async function crowd(gateway: ServerProcess): Promise<RawClient[]> {
  const inside: RawClient[] = [];
  const url = wsUrl(gateway.url, '/ws/notifications');
  for (let n = 0; n < CROWD; n += 1) {
    const client = await RawClient.open(url, { token: tokenFor(`user-${n}`) }).catch(
      () => undefined,
    );
    const welcome = client?.first('connection', 1000).catch(() => undefined);
    const isIn = await Promise.race([welcome, client?.closed.then(() => undefined)]);
    if (client !== undefined && isIn !== undefined) inside.push(client);
  }
  return inside;
}

async function readiness(gateway: ServerProcess): Promise<unknown> {
  return (await fetch(`${gateway.url}/readyz`)).json();
}

const linesWith = ({ output }: ServerProcess, text: string) =>
  output.split('\n').filter((line) => line.includes(text)).length;

test('[HON] [LIVE] a gateway without file descriptors keeps its clients, refuses newcomers, says so, and recovers', async () => {
  await using redis = await startRedis();
  await using gateway = await startGateway(redis.url);
  await using stack = new AsyncDisposableStack();
  const publisher = new Redis(redis.url);
  stack.defer(() => publisher.disconnect());
  expect(gateway.output).toContain(
    `WEBSOCKET_MAX_CONNECTIONS=1000 takes about 1200 open files, and ulimit -n allows ${OPEN_FILES}`,
  );
  const inside = await crowd(gateway);
  for (const client of inside) stack.use(client);
  expect(inside.length).toBeGreaterThan(20);
  expect(inside.length).toBeLessThan(CROWD);

  await expect
    .poll(() => readiness(gateway), PATIENCE)
    .toEqual({ status: 'not ready', reasons: ['no file descriptors left'] });
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  expect(metrics).toContain('leque_descriptors_exhausted 1');
  const event = JSON.stringify({ type: 'x', data: { n: 1 }, channel: 'all' });
  await publisher.fcall('leque_publish', 1, 'leque:{all}', event);
  const seen = await Promise.all(inside.map((client) => client.first('x')));
  expect(seen).toHaveLength(inside.length);

  await Promise.all(inside.splice(0, inside.length / 2).map((client) => client.close()));
  await expect.poll(() => readiness(gateway), PATIENCE).toEqual({ status: 'ready' });
  const url = wsUrl(gateway.url, '/ws/notifications');
  stack.use(await RawClient.connect(url, { token: tokenFor('late') }));
  for (const client of inside) {
    expect(await client.ask({ action: 'ping' })).toMatchObject({ type: 'pong' });
  }
  expect([
    linesWith(gateway, 'descriptors_exhausted'),
    linesWith(gateway, 'descriptors_available'),
  ]).toEqual([1, 1]);
}, 60_000);
