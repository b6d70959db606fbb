import { execFile } from 'node:child_process';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { freePorts, startRedis, startRedisCluster } from '@leque/testkit';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';

const ENTRY = 'apps/leque/src/main.ts';
const SECRET = 'a secret that is long enough for HS256';

function check(env: Readonly<Record<string, string>>, ...args: string[]) {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const variables = { PATH, NODE_COMPILE_CACHE, JWT_SECRET: SECRET, ...env };
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(
      process.execPath,
      [ENTRY, 'check', ...args],
      { env: variables },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

test('leque check reports eviction as an error and missing persistence as a warning, until both are set', async () => {
  await using redis = await startRedis();
  const client = new Redis(redis.url);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => client.disconnect());
  await client.config('SET', 'maxmemory', '1gb');
  await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  const before = await check({ REDIS_URL: redis.url });
  expect(before.code).toBe(1);
  expect(before.stdout).toContain('error: its maxmemory-policy is allkeys-lru');
  await client.config('SET', 'maxmemory-policy', 'noeviction');
  await client.config('SET', 'appendonly', 'yes');
  await client.config('SET', 'client-output-buffer-limit', 'pubsub 268435456 67108864 60');
  const { code, stdout } = await check({ REDIS_URL: redis.url });
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/: fine\.\n$/) });
});

test('leque check names the commands that the user of Redis may not run', async () => {
  await using redis = await startRedis({ own: true });
  const client = new Redis(redis.url);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => client.disconnect());
  await client.acl('SETUSER', 'mute', 'on', '>secret', '~*', '&*', '+@all', '-publish');
  const REDIS_URL = redis.url.replace('//', '//mute:secret@');
  const { code, stdout } = await check({ REDIS_URL }, '--app', 'publisher');
  expect(code).toBe(1);
  expect(stdout).toMatch(/error: its user may not run: PUBLISH .*leque:firehose.*; allow that/);
});

test('leque check warns when the connections do not fit the open files', async () => {
  await using redis = await startRedis();
  const env = { PATH: process.env['PATH'], JWT_SECRET: SECRET, REDIS_URL: redis.url };
  const limited = ['-c', 'ulimit -n 500 && exec "$0" "$@"', process.execPath, ENTRY, 'check'];
  const stdout = await new Promise<string>((resolve) => {
    execFile('sh', limited, { env }, (_error, text) => resolve(text));
  });
  expect(stdout).toContain(
    'warning: WEBSOCKET_MAX_CONNECTIONS=1000 takes about 1200 open files, and ulimit -n allows 500',
  );
});

test('leque check inspects every master of a Redis Cluster', async () => {
  await using cluster = await startRedisCluster();
  const { code, stdout } = await check({ REDIS_URL: cluster.url }, '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout).servers).toHaveLength(3);
});

test('leque check measures the secret of a file', async () => {
  await using redis = await startRedis();
  await using folder = await mkdtempDisposable(`${tmpdir()}/leque-check-`);
  const JWT_SECRET_FILE = `${folder.path}/secret`;
  await writeFile(JWT_SECRET_FILE, 'short\n');
  const env = {
    AUTH_MODE: 'open',
    JWT_SECRET: '',
    JWT_SECRET_FILE,
    REDIS_URL: redis.url,
  };
  const { stdout } = await check(env, '--app', 'publisher');
  expect(stdout).toContain('warning: JWT_SECRET is a key of 5 bytes');
});

test('leque check has exit codes of their own for wrong variables and an unreachable Redis', async () => {
  const nowhere = `redis://127.0.0.1:${await freePorts(1)}`;
  const [wrong, gone] = await Promise.all([
    check({ REDIS_URL: 'http://x', PORT: 'many', WEBSOCKET_TIMEOT: '30' }),
    check({ REDIS_URL: nowhere }, '--app', 'publisher'),
  ]);
  expect(wrong.code).toBe(2);
  expect(wrong.stdout).toMatch(/PORT/);
  expect(wrong.stdout).toMatch(/REDIS_URL/);
  expect(wrong.stdout).toMatch(/WEBSOCKET_TIMEOT; did you mean WEBSOCKET_TIMEOUT\?/);
  expect(gone.code).toBe(3);
  expect(gone.stdout).toMatch(/^Redis cannot be used: /);
});
