import { freePorts, OLD_REDIS, startRedis, uniquePrefix } from '@leque/testkit';
import { describeOnOwnRedis } from '@leque/testkit/contracts';
import { RecordingTelemetry } from '@leque/testkit/fakes';
import { describe, expect, test } from 'vitest';
import { openRedis, type RedisDrivers } from '../../src/open-redis.ts';
import { command } from '../support/foreign-service.ts';
import { settingsFor } from '../support/redis-node.ts';
import { type Answer, bulk, startRespServer } from '../support/resp-server.ts';

const NEEDED = 'Leque needs Redis 7.0 or newer, or Valkey, with Functions, and';

/** The drivers of a process that has just started, and receives. */
async function begin(url: string) {
  const telemetry = new RecordingTelemetry();
  const drivers = openRedis(settingsFor(url, uniquePrefix()), { nodeId: 'a', telemetry });
  await drivers.broker.start({ deliver: () => {}, resync: () => {} } as never);
  await drivers.connect();
  const dispose = () => drivers.close();
  return { drivers, telemetry, [Symbol.asyncDispose]: dispose };
}

function stateOf({ broker, refusal }: RedisDrivers) {
  const health = broker.health();
  return { refusal: refusal(), reason: health.ok ? undefined : health.reason };
}

/** Both the refusal at the start and the reason in the log are this one sentence. */
async function expectRefusal(url: string, sentence: string | RegExp) {
  await using process = await begin(url);
  const { refusal, reason } = stateOf(process.drivers);
  expect(refusal).toMatch(sentence);
  expect(reason).toBe(refusal);
}

const to =
  (names: string, reply: string): Answer =>
  ([name = '']) =>
    names.split(' ').includes(name.toUpperCase()) ? `-${reply}\r\n` : undefined;

describe('[HON] a server that cannot be used is named in one sentence, and ends the start', () => {
  test.for([
    [
      'has no Functions',
      to('FUNCTION FCALL', "ERR unknown command 'FUNCTION', with args beginning with: 'LIST' "),
      `${NEEDED} Redis 7.4.0 has none (ERR unknown command 'FUNCTION')`,
    ],
    [
      'knows FUNCTION LIST only',
      (words) =>
        words[1] === 'LOAD' ? "-ERR unknown subcommand 'LOAD'. Try FUNCTION HELP.\r\n" : undefined,
      `${NEEDED} Redis 7.4.0 has none (ERR unknown subcommand 'LOAD'. Try FUNCTION HELP.)`,
    ],
    [
      'leaves Functions out',
      to('FUNCTION FCALL', "ERR Command is not available: 'FUNCTION'. See https://example.org"),
      `${NEEDED} Redis 7.4.0 has none`,
    ],
    [
      'refuses FCALL only',
      to('FCALL', "ERR unknown command 'fcall', with args beginning with: 'leque_lease' "),
      `${NEEDED} this server has none (ERR unknown command 'fcall')`,
    ],
    [
      'is a fork without Functions',
      (words) =>
        words[0]?.toUpperCase() === 'INFO'
          ? bulk('redis_version:7.2.0\r\ndragonfly_version:df-1.30\r\n')
          : to('FUNCTION FCALL', 'ERR unknown command `FUNCTION`')(words),
      `${NEEDED} Dragonfly df-1.30 has none`,
    ],
    [
      'is a sentinel',
      (words) =>
        words[0]?.toUpperCase() === 'INFO'
          ? bulk('redis_version:7.2.0\r\nredis_mode:sentinel\r\n')
          : to('FUNCTION FCALL', "ERR unknown command 'FUNCTION'")(words),
      'REDIS_URL leads to a sentinel, which needs redis+sentinel://HOST:PORT/NAME',
    ],
    [
      'is part of a Cluster',
      to('FCALL', 'MOVED 11 127.0.0.1:7001'),
      'is part of a Redis Cluster, which needs redis+cluster:// in REDIS_URL',
    ],
    [
      'is in protected mode',
      () => '-DENIED Redis is running in protected mode because protected mode is enabled\r\n',
      'is in protected mode and serves its own machine only; set a password there',
    ],
  ] as const satisfies [string, Answer, string][])('%s', async ([, answer, sentence]) => {
    await using server = await startRespServer(answer);
    await expectRefusal(server.url, sentence);
  });

  test.runIf(OLD_REDIS.isThere)('is a real Redis 6', async () => {
    await using redis = await startRedis({ program: OLD_REDIS.path });
    await expectRefusal(redis.url, `${NEEDED} Redis 6.2.14 has none`);
  });
});

describeOnOwnRedis('[HON] an access that Redis refuses', () => {
  test('is named in one sentence, and ends the start', async () => {
    await using redis = await startRedis({ own: true });
    const as = (access: string) => redis.url.replace('//', `//${access}@`);
    const allow = (...rights: string[]) =>
      command(redis.url, 'ACL', 'SETUSER', 'ana', 'reset', 'on', '>right', '~*', '&*', ...rights);
    const where = `Redis at 127.0.0.1:${redis.port}`;
    await allow('+@all');
    await expectRefusal(as('ana:wrong'), `${where} refuses the user or the password in REDIS_URL`);
    await allow('+@all', '-function');
    await expectRefusal(
      as('ana:right'),
      /^the user in REDIS_URL lacks a right; .*NOPERM.*function/,
    );
    await allow('+@all', '-subscribe');
    await expectRefusal(
      as('ana:right'),
      /^channels cannot be subscribed: the user in REDIS_URL lacks a right; .*NOPERM/,
    );
    await expectRefusal(
      redis.url.replace('redis:', 'redis+cluster:'),
      `${where} is no Redis Cluster; REDIS_URL must begin with redis://`,
    );
    await command(redis.url, 'CONFIG', 'SET', 'requirepass', 'right');
    await expectRefusal(redis.url, `${where} requires a password, and REDIS_URL has none`);
  });

  test('does not end a process that runs, because passwords are rotated', async () => {
    await using redis = await startRedis({ own: true });
    const url = redis.url.replace('//', '//ana:first@');
    const setPassword = (password: string) => {
      const rights = ['resetpass', 'on', `>${password}`, '~*', '&*', '+@all'];
      return command(redis.url, 'ACL', 'SETUSER', 'ana', ...rights);
    };
    await setPassword('first');
    await using process = await begin(url);
    expect(stateOf(process.drivers)).toEqual({ refusal: undefined, reason: undefined });
    await setPassword('second');
    await command(redis.url, 'CLIENT', 'KILL', 'USER', 'ana');
    const reason = () => stateOf(process.drivers).reason;
    await expect.poll(reason, { timeout: 5000 }).toMatch(/refuses the user or the password/);
    await setPassword('first');
    await expect.poll(reason, { timeout: 5000 }).toBeUndefined();
  });
});

test('[HON] a server that is away is named in one sentence, and waited for', async () => {
  const port = await freePorts(1);
  const url = `redis://127.0.0.1:${port}`;
  const telemetry = new RecordingTelemetry();
  const drivers = openRedis(settingsFor(url, uniquePrefix()), { nodeId: 'a', telemetry });
  void drivers.connect(); // never rejects
  const words = `Redis at 127.0.0.1:${port} does not answer (connect ECONNREFUSED 127.0.0.1:${port})`;
  await expect.poll(() => stateOf(drivers)).toEqual({ refusal: undefined, reason: words });
  await drivers.close();
});
