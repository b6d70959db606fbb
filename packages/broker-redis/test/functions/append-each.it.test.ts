import { startRedis, startRedisCluster, uniquePrefix } from '@leque/testkit';
import { describeOnRedisServers } from '@leque/testkit/contracts';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { command } from '../support/foreign-service.ts';
import { startNode } from '../support/redis-node.ts';

const IN_TIME = { expired: false };
const IDS = Array.from({ length: 40 }, (_, n) => `u${n}`);
const EVENT = {
  type: 'probe',
  messageId: 'm',
  parts: ['{"type":"probe","data":{},"user_id":', '}'],
  channels: IDS.map((id) => `user:${id}`),
  idempotencyKey: 'k',
};

test('[EV8] [ACK] a channel whose keys another program has written fails alone', async () => {
  await using redis = await startRedis();
  const prefix = uniquePrefix();
  await using node = await startNode({ url: redis.url, prefix, receives: false });
  await command(redis.url, 'SET', `${prefix}{user:u3}:idem:k`, 'not a result');
  const outcomes = await Promise.allSettled(node.broker.publishToEach(EVENT, IN_TIME));
  const failed = outcomes.flatMap((each, index) => (each.status === 'rejected' ? [index] : []));
  expect(failed).toEqual([3]);
  expect(outcomes[3]).toMatchObject({
    reason: { code: 'unavailable', cause: { message: expect.stringContaining('user:u3') } },
  });
});

test('[EV8] only processes of Leque may call leque_append_each, and only for users and projects', async () => {
  await using redis = await startRedis();
  const prefix = uniquePrefix();
  await using _ = await startNode({ url: redis.url, prefix, receives: false });
  const call = (user: string, channel: string) => {
    const words = ['FCALL', 'leque_append_each', '1', `${prefix}{user:a}`, 'x', 'm', '', '1', '{}'];
    return command(redis.url.replace('redis://', `redis://${user}`), ...words, channel);
  };
  await command(
    redis.url,
    ...['ACL', 'SETUSER', 'service', 'on', '>pw', '~*', '+@all', 'resetchannels', '&*project*'],
  );
  expect(String(await call('service:pw@', 'user:a'))).toContain('only processes of Leque');
  for (const channel of ['all', 'logs', 'firehose', 'user:', 'user:a b']) {
    const [outcome] = (await call('', channel)) as unknown[];
    expect(String(outcome), channel).toContain('not the key of a user or project');
  }
});

describeOnRedisServers('a list in a Redis Cluster', () => {
  test('[EV8] [ACK] reaches a channel whose slot is moving to another master', async () => {
    await using cluster = await startRedisCluster();
    const prefix = uniquePrefix();
    await using node = await startNode({ url: cluster.url, prefix });
    await expect.poll(() => node.broker.health(), { timeout: 10_000 }).toEqual({ ok: true });
    const { idempotencyKey: _, ...event } = EVENT;
    await Promise.all(node.broker.publishToEach(event, IN_TIME));
    const key = `${prefix}{user:u7}`;
    const from = await cluster.masterOf(key);
    const to = (await cluster.masters()).find((master) => master !== from) ?? from;
    await using stack = new AsyncDisposableStack();
    const connect = ({ url }: { url: string }) =>
      stack.adopt(new Redis(url), (redis) => redis.disconnect());
    const [source, target] = [connect(from), connect(to)];
    const slot = String(await source.call('CLUSTER', 'KEYSLOT', key));
    const ids = [await source.call('CLUSTER', 'MYID'), await target.call('CLUSTER', 'MYID')];
    await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(ids[0]));
    await source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(ids[1]));
    const where = ['127.0.0.1', String(to.port), '', '0', '1000', 'KEYS'];
    expect(await source.call('MIGRATE', ...where, `${key}:meta`, `${key}:log`)).toBe('OK');
    const published = await Promise.all(node.broker.publishToEach(event, IN_TIME));
    expect(new Set(published.map(({ position }) => position?.offset))).toEqual(new Set([2]));
  });
});
