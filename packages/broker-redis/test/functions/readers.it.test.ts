import { startRedis, uniquePrefix } from '@leque/testkit';
import { describeOnOwnRedis } from '@leque/testkit/contracts';
import { makeEvent, upTo } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { command } from '../support/foreign-service.ts';
import { startNode } from '../support/redis-node.ts';

const P = 'project:P';
const CHANNELS = 10_000;
/** Channels that are subscribed at once, so that none waits too long for its answer. */
const AT_ONCE = 500;
const TIMEOUT = { timeout: 60_000 };

/** A node on a Redis of its own. */
async function startOnOwnRedis() {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis({ own: true }));
  const prefix = uniquePrefix();
  const node = stack.use(await startNode({ url: redis.url, prefix }));
  await node.join();
  const owner = stack.move();
  return {
    node,
    prefix,
    say: (...words: string[]) => command(redis.url, ...words),
    [Symbol.asyncDispose]: () => owner.disposeAsync(),
  };
}

describeOnOwnRedis('readers', () => {
  test('[MEM] store no key for channels that nobody has published to', TIMEOUT, async () => {
    await using all = await startOnOwnRedis();
    const { node, say } = all;
    await node.broker.publish(makeEvent(P));
    const before = await say('KEYS', '*');
    for (let first = 0; first < CHANNELS; first += AT_ONCE) {
      const channels = Array.from({ length: AT_ONCE }, (_, n) => `project:made-up-${first + n}`);
      await Promise.all(
        channels.map(async (channel) => {
          const top = await node.broker.top(channel);
          const start = await node.broker.subscribe(channel);
          expect(top).toEqual(start);
          const page = await node.broker.history(channel, start, upTo(10));
          expect(page).toMatchObject({ complete: true, position: start, publications: [] });
          await node.broker.pageAfter(channel, { epoch: 'gone', offset: 7 }, upTo(10));
          await node.broker.history(channel, undefined, upTo(10));
        }),
      );
    }
    expect(await say('KEYS', '*')).toEqual(before);
  });

  test('[MEM] [HON] join and resume an empty channel while memory is full', async () => {
    await using all = await startOnOwnRedis();
    const { node, say } = all;
    await say('CONFIG', 'SET', 'maxmemory-policy', 'noeviction', 'maxmemory', '1');
    const before = await say('DBSIZE');
    const start = await node.broker.subscribe('project:new');
    expect(start).toMatchObject({ offset: 0 });
    const page = await node.broker.history('project:new', start, upTo(10));
    expect(page).toMatchObject({ complete: true, publications: [] });
    expect(await say('DBSIZE')).toBe(before);
  });

  test('[MEM] lengthen the life of the meta of a channel with publications, and add no key', async () => {
    await using all = await startOnOwnRedis();
    const { node, say, prefix } = all;
    const { position } = await node.broker.publish(makeEvent(P));
    const before = (await say('KEYS', '*')) as string[];
    const meta = `${prefix}{${P}}:meta`;
    await say('EXPIRE', meta, '100');
    expect(await node.broker.subscribe(P)).toEqual(position);
    expect(Number(await say('TTL', meta))).toBeGreaterThan(6 * 24 * 3600);
    expect(await say('KEYS', '*')).toHaveLength(before.length);
  });
});
