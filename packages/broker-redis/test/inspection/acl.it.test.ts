import { readFileSync } from 'node:fs';
import {
  startRedis,
  startRedisCluster,
  startSentinel,
  type TestRedis,
  uniquePrefix,
} from '@leque/testkit';
import { describeOnOwnRedis, describeOnRedisServers } from '@leque/testkit/contracts';
import { makeEvent, upTo } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { areCounted, begin } from '../support/duties.ts';
import { command } from '../support/foreign-service.ts';
import { startNode } from '../support/redis-node.ts';

const P = 'project:P';
const TIMEOUT = { timeout: 60_000 };
const PATIENCE = { timeout: 15_000 };
const GUIDE = readFileSync(new URL('../../../../docs/redis.md', import.meta.url), 'utf8');

/** Commands of which neither a gateway nor a publisher has need. */
const BEYOND_DUTY = [
  ['FUNCTION', 'FLUSH'],
  ['FUNCTION', 'DELETE', 'leque'],
  ['FUNCTION', 'RESTORE', 'x'],
  ['FUNCTION', 'DUMP'],
  ['EVAL', 'return 1', '0'],
  ['SCRIPT', 'FLUSH'],
  ['CONFIG', 'GET', 'requirepass'],
  ['CLIENT', 'LIST'],
  ['ACL', 'LIST'],
  ['FLUSHDB'],
  ['SWAPDB', '0', '1'],
];

/** The rights that the guide gives to a user. */
function rightsOf(user: string, prefix: string): string {
  const [, rights = ''] =
    new RegExp(`^ACL SETUSER ${user} on >SECRET (.*)$`, 'm').exec(GUIDE) ?? [];
  return rights.replaceAll('leque:', prefix).replaceAll('&socket.io', `&${prefix}socket.io`);
}

/** A Redis with users, each with the rights that the test gives it. */
async function startWithUsers() {
  const redis = await startRedis({ own: true });
  const as = (user: string) => redis.url.replace('redis://', `redis://${user}:secret@`);
  return {
    redis,
    as,
    prefix: uniquePrefix(),
    allow: (user: string, rights: string) =>
      command(redis.url, 'ACL', 'SETUSER', user, 'on', '>secret', ...rights.split(' ')),
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  };
}

describeOnOwnRedis('users of Redis', () => {
  test.for(['project', 'firehose', 'control', 'set', 'xtrim'])(
    '[ACK] [EV6.5] that lack one right for publishing store nothing: %s',
    async (lacking) => {
      await using all = await startWithUsers();
      const { redis, as, prefix, allow } = all;
      const control = `&${prefix}control*`;
      const channels = new Map([
        ['project', `${control} &${prefix}firehose`],
        ['firehose', `${control} &${prefix}{*`],
        ['control', `&${prefix}firehose &${prefix}{*`],
      ]);
      const commands = channels.has(lacking) ? '+@all' : `+@all -${lacking}`;
      await allow('publisher', `~* resetchannels ${channels.get(lacking) ?? '&*'} ${commands}`);
      await using publisher = await startNode({ url: as('publisher'), prefix, receives: false });
      await using gateway = await startNode({ url: redis.url, prefix });
      await gateway.broker.subscribe(P);
      const event = makeEvent(P, { n: 1 }, { idempotency_key: 'K' });
      for (const _ of ['once', 'again']) {
        await expect(publisher.broker.publish(event)).rejects.toMatchObject({
          code: 'unavailable',
          cause: { message: expect.stringContaining('NOPERM') },
        });
      }
      expect((await gateway.broker.history(P, undefined, upTo(10))).publications).toEqual([]);
      await allow('publisher', 'allchannels +@all');
      expect(await publisher.broker.publish(event)).toMatchObject({ duplicate: false });
      expect(await publisher.broker.publish(event)).toMatchObject({ duplicate: true });
      await expect.poll(() => gateway.sink.offsets(P)).toEqual([1]);
    },
  );

  test('[PU1.2] with the rights in docs/redis.md can do their work, and nothing beyond it', async () => {
    await using all = await startWithUsers();
    const { as, prefix, allow } = all;
    for (const user of ['gateway', 'publisher', 'service']) {
      await allow(user, `resetkeys resetchannels ${rightsOf(user, prefix)}`);
    }
    await using gateway = await startNode({ url: as('gateway'), prefix });
    await using publisher = await startNode({ url: as('publisher'), prefix, receives: false });
    const service = (...words: string[]) => command(as('service'), ...words);
    const start = await begin(gateway);
    const event = (fields: object) =>
      makeEvent(P, fields, { idempotency_key: JSON.stringify(fields) });
    await publisher.broker.publish(event({ n: 1 }));
    const json = JSON.stringify({ type: 'x', data: { n: 2 } });
    expect(await service('FCALL', 'leque_publish', '1', `${prefix}{${P}}`, json, 'K')).toContain(2);
    expect(await service('PUBLISH', `${prefix}{${P}}`, json)).toBe(1);
    await expect.poll(() => gateway.sink.numbers(P), PATIENCE).toEqual([1, 2, 2]);
    await expect.poll(() => gateway.sink.numbers('firehose'), PATIENCE).toEqual([1, 2]);
    expect((await gateway.broker.history(P, start, upTo(10))).publications).toHaveLength(2);
    expect((await publisher.broker.history(P, undefined, upTo(10))).publications).toHaveLength(2);
    expect(await publisher.broker.top('project:unused')).toMatchObject({ offset: 0 });
    await areCounted(gateway, publisher);
    for (const namespace of ['/', '/events']) {
      const pattern = `${prefix}socket.io#${namespace}#*`;
      expect(await command(as('gateway'), 'PSUBSCRIBE', pattern)).toContain(pattern);
    }
    for (const node of [gateway, publisher]) {
      await expect.poll(() => node.broker.health(), PATIENCE).toEqual({ ok: true });
      expect([...node.telemetry.of('failure'), ...node.telemetry.of('broker_refused')]).toEqual([]);
    }
    const refused = [
      ['service', 'FCALL', 'leque_publish', '1', `${prefix}{all}`, json],
      ['service', 'FCALL', 'leque_append', '1', `${prefix}{${P}}`, 'x', 'm', '{}', ''],
      ['service', 'FUNCTION', 'FLUSH'],
      ['publisher', 'SET', 'elsewhere', '1'],
      ['publisher', 'SUBSCRIBE', 'elsewhere'],
      ['gateway', 'FLUSHALL'],
      ['gateway', 'KEYS', '*'],
      ['service', 'PUBLISH', `${prefix}control`, '{}'],
      ['service', 'PUBLISH', `${prefix}socket.io#/events#`, ''],
      ['gateway', 'PUBLISH', 'socket.io#/events#', ''],
      ['service', 'SUBSCRIBE', `${prefix}{${P}}`],
      ...['gateway', 'publisher'].flatMap((user) => BEYOND_DUTY.map((words) => [user, ...words])),
    ];
    for (const [user = '', ...words] of refused) {
      expect(String(await command(as(user), ...words)), words.join(' ')).toContain('NOPERM');
    }
  });

  test.for([
    ['with the rights in docs/redis.md continue the position of the empty channel', true],
    ['without the key of the data set are announced by a resync', false],
  ] as const)('[GAP] first events of a service %s', async ([, isAllowed]) => {
    await using all = await startWithUsers();
    const { redis, as, prefix, allow } = all;
    const rights = rightsOf('service', prefix);
    const narrower = rights.replace(` ~${prefix}data-set`, '');
    await allow('service', `resetkeys resetchannels ${isAllowed ? rights : narrower}`);
    await using gateway = await startNode({ url: redis.url, prefix });
    const start = await gateway.broker.subscribe(P);
    const call = ['FCALL', 'leque_publish', '1', `${prefix}{${P}}`, '{"type":"x","data":{"n":1}}'];
    expect(await command(as('service'), ...call)).toContain(1);
    await expect.poll(() => gateway.sink.numbers(P), PATIENCE).toEqual([1]);
    expect(gateway.sink.resyncs(P)).toHaveLength(isAllowed ? 0 : 1);
    expect(await gateway.broker.history(P, start, upTo(10))).toMatchObject({ complete: isAllowed });
  });

  test('[GAP] that may not ask whether Redis has restarted store nothing', async () => {
    await using all = await startWithUsers();
    const { as, prefix, allow } = all;
    await allow('publisher', '~* &* +@all -info');
    await using publisher = await startNode({ url: as('publisher'), prefix, receives: false });
    await expect(publisher.broker.publish(makeEvent(P))).rejects.toMatchObject({
      cause: { message: expect.stringContaining('INFO') },
    });
    await allow('publisher', '+info');
    expect((await publisher.broker.publish(makeEvent(P))).position).toMatchObject({ offset: 1 });
  });
});

describeOnRedisServers('users of Redis behind Sentinel', () => {
  test(
    'with the rights of the guide reach the master, and follow a failover',
    TIMEOUT,
    async () => {
      await using redis = await startSentinel();
      const prefix = uniquePrefix();
      const allow = (server: TestRedis, user: string) =>
        command(
          server.url,
          'ACL',
          'SETUSER',
          user,
          'on',
          '>secret',
          ...rightsOf(user, prefix).split(' '),
        );
      for (const server of redis.servers) {
        for (const user of ['gateway', 'publisher']) expect(await allow(server, user)).toBe('OK');
      }
      for (const sentinel of redis.sentinels) {
        expect(await allow(sentinel, 'leque')).toBe('OK');
        // The remaining rights are those that sentinels need on each other.
        const others = ['-@all', '+auth', '+hello', '+ping', '+publish', '+sentinel'];
        await command(sentinel.url, 'ACL', 'SETUSER', 'default', ...others);
      }
      const settings = { REDIS_SENTINEL_USERNAME: 'leque', REDIS_SENTINEL_PASSWORD: 'secret' };
      const as = (user: string) => redis.url.replace('://', `://${user}:secret@`);
      await using gateway = await startNode({ url: as('gateway'), prefix, settings });
      await using publisher = await startNode({
        url: as('publisher'),
        prefix,
        settings,
        receives: false,
      });
      await gateway.broker.subscribe(P);
      await publisher.broker.publish(makeEvent(P, { n: 1 }));
      await expect.poll(() => gateway.sink.numbers(P), PATIENCE).toEqual([1]);
      expect(gateway.telemetry.of('failure')).toEqual([]);
      await redis.failover();
      const again = () => publisher.broker.publish(makeEvent(P, { n: 2 })).then(() => true, String);
      await expect.poll(again, PATIENCE).toBe(true);
      await expect.poll(() => gateway.sink.numbers(P), PATIENCE).toEqual([1, 2]);
      await expect.poll(() => gateway.broker.health(), PATIENCE).toEqual({ ok: true });
    },
  );
});

/** The additional rights that the guide gives to a user of a Redis Cluster. */
function moreRightsOf(user: string, prefix: string): string {
  const [, rights = ''] = new RegExp(`^ACL SETUSER ${user} (\\+.*)$`, 'm').exec(GUIDE) ?? [];
  return rights.replaceAll('leque:', prefix);
}

describeOnRedisServers('users of a Redis Cluster', () => {
  test('with the rights of the guide can do their work', TIMEOUT, async () => {
    await using redis = await startRedisCluster();
    const prefix = uniquePrefix();
    for (const { url } of redis.nodes) {
      for (const user of ['gateway', 'publisher', 'service']) {
        const rights = `${rightsOf(user, prefix)} ${moreRightsOf(user, prefix)}`.split(' ');
        const set = await command(url, 'ACL', 'SETUSER', user, 'on', '>secret', ...rights);
        expect(set).toBe('OK');
      }
    }
    const as = (user: string) => redis.url.replace('://', `://${user}:secret@`);
    await using gateway = await startNode({ url: as('gateway'), prefix });
    await using publisher = await startNode({ url: as('publisher'), prefix, receives: false });
    await gateway.join();
    await gateway.broker.subscribe(P);
    await gateway.broker.subscribe('firehose');
    await publisher.broker.publish(makeEvent(P, { n: 1 }, { idempotency_key: '1' }));
    const key = `${prefix}{${P}}`;
    const { url } = await redis.masterOf(key);
    const service = (...words: string[]) =>
      command(url.replace('://', '://service:secret@'), ...words);
    const json = JSON.stringify({ type: 'x', data: { n: 2 } });
    const unchecked = await service('FCALL', 'leque_append', '1', key, 'x', 'm', '{}', '');
    expect(String(unchecked)).toContain('NOPERM');
    expect(await service('FCALL', 'leque_publish', '1', key, json, 'K')).toContain(2);
    expect(await service('SPUBLISH', key, json)).toBe(1);
    await expect.poll(() => gateway.sink.numbers(P), PATIENCE).toEqual([1, 2, 2]);
    await expect.poll(() => gateway.sink.numbers('firehose'), PATIENCE).toEqual([1, 2]);
    for (const node of [gateway, publisher]) {
      await expect.poll(() => node.broker.health(), PATIENCE).toEqual({ ok: true });
      expect([...node.telemetry.of('failure'), ...node.telemetry.of('broker_refused')]).toEqual([]);
    }
  });
});
