import { freePorts, OLD_REDIS, RunningProcess, startRedis, TEST_JWT_SECRET } from '@leque/testkit';
import { describeOnOwnRedis } from '@leque/testkit/contracts';
import { expect, test } from 'vitest';

const LEQUE = 'apps/leque/src/main.ts';
const PROCESSES = [
  ['apps/gateway/src/main.ts', []],
  [LEQUE, ['dev']],
  [LEQUE, ['cluster']],
  [LEQUE, ['check']],
] as const;
const PATIENCE = { timeout: 20_000 };

async function environment(redisUrl: string) {
  const [port, basePort] = [await freePorts(1), await freePorts(4)].map(String);
  return {
    REDIS_URL: redisUrl,
    JWT_SECRET: TEST_JWT_SECRET,
    PORT: port ?? '',
    BASE_PORT: basePort ?? '',
    SOCKETIO_PORT: '0',
  };
}

/** Runs a program to its end, which it must find by itself. */
async function runToEnd(entry: string, args: readonly string[], redisUrl: string) {
  await using running = new RunningProcess(entry, args, await environment(redisUrl));
  const patience = setTimeout(() => running.signal('SIGKILL'), PATIENCE.timeout);
  const { code } = await running.exited.finally(() => clearTimeout(patience));
  return { code, output: running.output };
}

function expectOneSentence({ code, output }: Awaited<ReturnType<typeof runToEnd>>, words: string) {
  expect(output).toContain(words);
  expect(code).toBe(3);
  expect(output).not.toMatch(/^\s+at |"stack"/m);
  expect(output).not.toContain('Leque is ready');
}

describeOnOwnRedis('[HON] processes whose Redis refuses them', () => {
  test('end with exit code 3 and one sentence', { timeout: 60_000 }, async () => {
    await using redis = await startRedis({ own: true });
    const url = redis.url.replace('//', '//nobody:wrong@');
    for (const [entry, args] of PROCESSES) {
      const words = `Redis at 127.0.0.1:${redis.port} refuses the user or the password in REDIS_URL`;
      expectOneSentence(await runToEnd(entry, args, url), words);
    }
  });

  test.runIf(OLD_REDIS.isThere)('end with its version where it is too old', PATIENCE, async () => {
    await using redis = await startRedis({ program: OLD_REDIS.path });
    const words = 'Leque needs Redis 7.0 or newer, or Valkey, with Functions, and Redis 6.2.14';
    expectOneSentence(await runToEnd('apps/gateway/src/main.ts', [], redis.url), words);
  });

  test('wait where it is away, and are ready when it serves', { timeout: 60_000 }, async () => {
    await using redis = await startRedis({ own: true });
    await redis.stop();
    await using dev = new RunningProcess(LEQUE, ['dev'], await environment(redis.url));
    const waits = `Leque waits: Redis at 127.0.0.1:${redis.port} does not answer`;
    await expect.poll(() => dev.output, PATIENCE).toContain(waits);
    await redis.restart();
    await expect.poll(() => dev.output, PATIENCE).toContain('Leque is ready');
    expect(dev.output.match(/Leque waits/g)).toHaveLength(1);
    const nowhere = `redis://127.0.0.1:${await freePorts(1)}`;
    await using other = new RunningProcess(LEQUE, ['cluster'], await environment(nowhere));
    await expect.poll(() => other.output, PATIENCE).toContain('Leque waits: ');
    other.signal('SIGINT');
    expect(await other.exited).toMatchObject({ code: 0 });
    expect(other.output).not.toContain('Leque is ready');
  });
});
