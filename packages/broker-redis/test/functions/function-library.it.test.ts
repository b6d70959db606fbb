import { startRedis, uniquePrefix } from '@leque/testkit';
import { describeOnOwnRedis } from '@leque/testkit/contracts';
import { makeEvent, upTo } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { command, foreignService, type Reply } from '../support/foreign-service.ts';
import { startNode } from '../support/redis-node.ts';

/** The source of a library whose functions answer with its release. */
function libraryOf(version: number): string {
  const known = `{ '${version}', { 'release ${version}', '', 0 } }`;
  const functions = ['append', 'publish', 'position', 'history', 'lease', 'probe'].map(
    (name) => `redis.register_function('leque_${name}', function() return ${known} end)`,
  );
  return ['#!lua name=leque', `-- leque version ${version}`, ...functions].join('\n');
}

async function isLoaded(url: string): Promise<boolean> {
  const libraries = await command(url, 'FUNCTION', 'LIST');
  return JSON.stringify(libraries).includes('leque_publish');
}

describeOnOwnRedis('the function library', () => {
  test('is loaded when a process starts, before its first call', async () => {
    await using redis = await startRedis({ own: true });
    expect(await isLoaded(redis.url)).toBe(false);
    await using _ = await startNode({ url: redis.url, prefix: uniquePrefix() });
    expect(await isLoaded(redis.url)).toBe(true);
  });

  test('replaces an older release, and leaves a newer one alone', async () => {
    await using redis = await startRedis({ own: true });
    const prefix = uniquePrefix();
    await command(redis.url, 'FUNCTION', 'LOAD', libraryOf(99));
    await using old = await startNode({ url: redis.url, prefix });
    expect((await old.broker.publish(makeEvent('all'))).messageId).toBe('release 99');
    await command(redis.url, 'FUNCTION', 'LOAD', 'REPLACE', libraryOf(0));
    await using current = await startNode({ url: redis.url, prefix });
    const event = makeEvent('all');
    expect((await current.broker.publish(event)).messageId).toBe(event.messageId);
  });

  test.each([
    ['of a later version without its functions', '-- leque version 99\n'],
    ['without a version', ''],
  ])('[HON] leaves a library of another program alone, %s, and names it', async (_, line) => {
    await using redis = await startRedis({ own: true });
    const code = `#!lua name=leque\n${line}redis.register_function('foreign', function() end)`;
    await command(redis.url, 'FUNCTION', 'LOAD', code);
    await using node = await startNode({ url: redis.url, prefix: uniquePrefix() });
    const named = expect.stringContaining('another program has loaded a Function library');
    await expect.poll(() => node.broker.health()).toEqual({ ok: false, reason: named });
    await expect(node.broker.publish(makeEvent('all'))).rejects.toMatchObject({
      code: 'unavailable',
      cause: { message: named },
    });
    expect(node.telemetry.of('broker_refused')).toEqual([
      { type: 'broker_refused', detail: named },
    ]);
    expect(node.telemetry.of('failure')).toEqual([]);
    await command(redis.url, 'FUNCTION', 'DELETE', 'leque');
    await expect.poll(() => node.broker.health(), { timeout: 5000 }).toEqual({ ok: true });
  });

  test('[HON] reports processes that replace it because their settings differ', async () => {
    await using redis = await startRedis({ own: true });
    const options = { url: redis.url, prefix: uniquePrefix() };
    await using first = await startNode(options);
    await using other = await startNode({ ...options, settings: { HISTORY_USER_SIZE: 3 } });
    await using alike = await startNode({ ...options, settings: { HISTORY_USER_SIZE: 3 } });
    const reported = {
      where: 'functions',
      error: { message: expect.stringContaining('HISTORY_') },
    };
    expect(other.telemetry.of('failure')).toMatchObject([reported]);
    for (const { telemetry } of [first, alike]) expect(telemetry.of('failure')).toEqual([]);
    for (let round = 1; round <= 3; round += 1) {
      const connected = () =>
        [first, other].map(({ telemetry }) => telemetry.of('broker_connected').length);
      const [ofFirst = 0, ofOther = 0] = connected();
      await command(redis.url, 'CLIENT', 'KILL', 'TYPE', 'normal');
      await expect.poll(connected).toEqual([ofFirst + 1, ofOther + 1]);
    }
    expect(other.telemetry.of('failure')).toMatchObject([reported]);
    expect(first.telemetry.of('failure').length).toBeLessThanOrEqual(1);
  });

  test('holds other services to the configured limits', async () => {
    await using redis = await startRedis({ own: true });
    const prefix = uniquePrefix();
    const settings = {
      HISTORY_PROJECT_SIZE: 3,
      HISTORY_PROJECT_TTL: 20,
      HISTORY_USER_SIZE: 2,
      IDEMPOTENCY_TTL: 10,
      FIREHOSE: 'off',
    } as const;
    await using node = await startNode({ url: redis.url, prefix, settings });
    await node.broker.subscribe('firehose');
    const { fcall, key } = foreignService(redis.url, prefix);
    for (const channel of ['project:P', 'user:U', 'logs']) {
      for (let n = 1; n <= 5; n += 1) await fcall(channel, '{"type":"x","data":{}}', `key-${n}`);
    }
    const kept = async (channel: string) => {
      const page = await node.broker.history(channel, undefined, upTo(100));
      return page.publications.map(({ position }) => position?.offset);
    };
    expect(await kept('project:P')).toEqual([3, 4, 5]);
    expect(await kept('user:U')).toEqual([4, 5]);
    expect(await kept('logs')).toEqual([]);
    const ttl = async (name: string) => Number(await command(redis.url, 'TTL', name));
    expect(await ttl(`${key('project:P')}:log`)).toBeOneOf([19, 20]);
    expect(await ttl(`${key('user:U')}:log`)).toBeOneOf([299, 300]);
    expect(await ttl(`${key('project:P')}:meta`)).toBeGreaterThan(6 * 24 * 3600);
    expect(await ttl(`${key('project:P')}:idem:key-1`)).toBeOneOf([9, 10]);
    expect(node.sink.of('firehose')).toEqual([]);
  });

  test('continues the offsets after the log has expired, and begins an epoch after the meta has', async () => {
    await using redis = await startRedis({ own: true });
    const prefix = uniquePrefix();
    await using node = await startNode({ url: redis.url, prefix });
    const { fcall, key } = foreignService(redis.url, prefix);
    const publish = async () => (await fcall('all', '{"type":"x","data":{}}')) as Reply[];
    const [, epoch] = await publish();
    await command(redis.url, 'DEL', `${key('all')}:log`);
    expect(await publish()).toMatchObject({ 1: epoch, 2: 2 });
    await command(redis.url, 'DEL', `${key('all')}:meta`);
    const [, other, offset] = await publish();
    expect(other).not.toBe(epoch);
    expect(offset).toBe(1);
    expect((await node.broker.history('all', undefined, upTo(10))).publications).toHaveLength(1);
    // A log that is ahead of its meta, as after a partial restore.
    await command(redis.url, 'XADD', `${key('all')}:log`, '9-0', 'x', '{}');
    const [, third, first] = await publish();
    expect([epoch, other]).not.toContain(third);
    expect(first).toBe(1);
  });

  test('[HON] is loaded as soon as Redis allows it', async () => {
    await using redis = await startRedis({ own: true });
    const rights = ['on', '>secret', '~*', '&*', '+@all', '-function'];
    await command(redis.url, 'ACL', 'SETUSER', 'publisher', ...rights);
    const url = redis.url.replace('redis://', 'redis://publisher:secret@');
    await using node = await startNode({ url, prefix: uniquePrefix(), receives: false });
    const health = () => node.broker.health();
    expect(health()).toMatchObject({ ok: false, reason: expect.stringContaining('NOPERM') });
    await command(redis.url, 'ACL', 'SETUSER', 'publisher', '+function');
    await expect.poll(health, { timeout: 5000 }).toEqual({ ok: true });
    expect(node.telemetry.of('broker_refused')).toHaveLength(1);
    expect(node.telemetry.of('failure')).toEqual([]);
  });

  test('reports why Redis takes no writes, and does nothing by halves', async () => {
    await using redis = await startRedis({ own: true });
    await using node = await startNode({ url: redis.url, prefix: uniquePrefix() });
    await command(redis.url, 'CONFIG', 'SET', 'maxmemory', '1');
    const publishing = node.broker.publish(makeEvent('all'));
    await expect(publishing).rejects.toMatchObject({
      code: 'unavailable',
      cause: { message: expect.stringContaining('OOM') },
    });
    await command(redis.url, 'CONFIG', 'SET', 'maxmemory', '0');
    await command(redis.url, 'REPLICAOF', '127.0.0.1', '1');
    await expect(node.broker.publish(makeEvent('all'))).rejects.toMatchObject({
      code: 'unavailable',
    });
    await command(redis.url, 'REPLICAOF', 'NO', 'ONE');
    expect((await node.broker.publish(makeEvent('all'))).position?.offset).toBe(1);
  });
});
