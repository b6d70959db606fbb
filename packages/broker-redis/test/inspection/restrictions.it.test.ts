import { startRedis, uniquePrefix } from '@leque/testkit';
import { describeOnOwnRedis } from '@leque/testkit/contracts';
import { RecordingSink } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { openRedis } from '../../src/open-redis.ts';
import { command } from '../support/foreign-service.ts';
import { settingsFor } from '../support/redis-node.ts';

/** Commands and kinds of commands that managed services take away, and Leque can do without. */
const DISPENSABLE = [
  ...['config', 'acl', 'client', 'latency', 'slowlog', 'memory', 'debug', 'monitor', 'command'],
  ...['keys', 'scan', 'eval', 'script', 'select', 'dbsize', 'hello', 'wait', 'object', 'flushall'],
  ...['pubsub', 'psubscribe', 'multi', 'shutdown', 'replicaof', 'cluster', 'function|delete'],
];
/** The functions remember what INFO has said, so that it comes first. */
const NEEDED = ['info', 'fcall', 'function', 'time', 'subscribe', 'publish'];

const PATIENCE = { timeout: 10_000 };

/** Starts as a gateway does, and returns what stands against it, which its health says too. */
async function start(url: string) {
  const drivers = openRedis(settingsFor(url, uniquePrefix()), {
    nodeId: 'a',
    telemetry: { report: () => {} },
  });
  try {
    await drivers.broker.start(new RecordingSink());
    await drivers.connect();
    const refusal = drivers.refusal();
    const reasonNow = () => {
      const health = drivers.broker.health();
      return health.ok ? undefined : health.reason;
    };
    // While channels are subscribed anew, that is said first.
    await expect.poll(reasonNow, { ...PATIENCE, message: url }).toBe(refusal);
    return { refusal, facts: refusal ? undefined : await drivers.inspect('gateway') };
  } finally {
    await drivers.close();
  }
}

describeOnOwnRedis('[HON] what a managed service takes away', () => {
  test('stops no start where Leque can do without, and is one sentence where not', {
    timeout: 60_000,
  }, async () => {
    await using redis = await startRedis({ own: true });
    const url = redis.url.replace('//', '//ana:secret@');
    const without = async (name: string) => {
      const rights = ['reset', 'on', '>secret', '~*', '&*', '+@all', `-${name}`];
      expect(await command(redis.url, 'ACL', 'SETUSER', 'ana', ...rights)).toBe('OK');
      return await start(url);
    };
    for (const name of NEEDED) {
      const { refusal } = await without(name);
      expect(refusal, name).toContain('the user in REDIS_URL lacks a right');
    }
    for (const name of DISPENSABLE) {
      const { refusal, facts } = await without(name);
      expect(refusal, name).toBeUndefined();
      expect(facts?.servers, name).toHaveLength(1);
    }
  });

  test('stops no start where a command is gone, apart from INFO', async () => {
    const gone = (...names: string[]) => names.map((name) => `rename-command ${name} ""`);
    await using redis = await startRedis({ config: gone('CONFIG', 'ACL', 'CLIENT', 'PUBSUB') });
    const { refusal, facts } = await start(redis.url);
    expect(refusal).toBeUndefined();
    const unseen = { bufferLimits: undefined, neighbours: undefined };
    expect(facts?.servers).toMatchObject([{ ...unseen, refused: ['CLIENT SETNAME check'] }]);
    await using blind = await startRedis({ config: gone('INFO') });
    expect((await start(blind.url)).refusal).toContain('does not know INFO, which Leque needs');
  });
});
