import { describeOnOwnRedis, makeEvent, startRedis, uniquePrefix } from '@leque/testkit';
import { expect, test } from 'vitest';
import { command } from './support/foreign-service.ts';
import { startNode } from './support/redis-node.ts';

const P = 'project:P';

/** A Redis with users of its own, each with the rights that it is given. */
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
  test.for(['project', 'firehose', 'set', 'xtrim'])(
    '[ACK] nothing is stored for one who may not do all that publishing takes: %s',
    async (lacking) => {
      await using all = await startWithUsers();
      const { redis, as, prefix, allow } = all;
      const channels = new Map([
        ['project', `&${prefix}firehose`],
        ['firehose', `&${prefix}{*`],
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
          message: expect.stringContaining('NOPERM'),
        });
      }
      expect((await gateway.broker.history(P, undefined, 10)).publications).toEqual([]);
      await allow('publisher', 'allchannels +@all');
      expect(await publisher.broker.publish(event)).toMatchObject({ duplicate: false });
      expect(await publisher.broker.publish(event)).toMatchObject({ duplicate: true });
      await expect.poll(() => gateway.sink.offsets(P)).toEqual([1]);
    },
  );

  test('[GAP] nothing is stored as long as nobody may ask whether Redis has restarted', async () => {
    await using all = await startWithUsers();
    const { as, prefix, allow } = all;
    await allow('publisher', '~* &* +@all -info');
    await using publisher = await startNode({ url: as('publisher'), prefix, receives: false });
    await expect(publisher.broker.publish(makeEvent(P))).rejects.toMatchObject({
      message: expect.stringContaining('INFO'),
    });
    await allow('publisher', '+info');
    expect((await publisher.broker.publish(makeEvent(P))).position).toMatchObject({ offset: 1 });
  });
});
