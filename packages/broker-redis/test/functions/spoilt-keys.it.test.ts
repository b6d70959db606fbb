import { startRedis, type TestRedis, uniquePrefix } from '@leque/testkit';
import { makeEvent, upTo } from '@leque/testkit/fakes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { command, foreignService } from '../support/foreign-service.ts';
import { startNode } from '../support/redis-node.ts';

const P = 'project:P';
const CURSOR = /^[a-z0-9]{1,32}$/;
let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

/** A node on whose keys another program writes. */
async function startSpoilt() {
  const prefix = uniquePrefix();
  const node = await startNode({ url: redis.url, prefix });
  const { key, fcall } = foreignService(redis.url, prefix);
  const name = (suffix: string) => `${key(P)}:${suffix}`;
  return {
    prefix,
    node,
    name,
    fcall,
    spoil: (verb: string, suffix: string, ...args: string[]) =>
      command(redis.url, verb, name(suffix), ...args),
    [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
  };
}

const event = (fields = {}) => makeEvent(P, { n: 1 }, fields);

describe('keys that another program has written', () => {
  test('[ACK] are named when an idempotency key has no result of Leque, which is no success', async () => {
    await using all = await startSpoilt();
    const { node, name, spoil, fcall } = all;
    for (const value of ['zzz', 'e 1', 'e 1.5 id', 'e x id', '']) {
      await spoil('SET', 'idem:K', value);
      const publishing = node.broker.publish(event({ idempotency_key: 'K' }));
      await expect(publishing).rejects.toMatchObject({
        code: 'unavailable',
        cause: { message: expect.stringContaining(name('idem:K')) },
      });
      expect(String(await fcall(P, '{"type":"x","data":{}}', 'K'))).toContain(name('idem:K'));
    }
    expect((await node.broker.history(P, undefined, upTo(10))).publications).toEqual([]);
  });

  test.for([
    ['a blank', 'two words', '1'],
    ['a line break', 'a\nb', '1'],
    ['capitals', 'ABC', '1'],
    ['too many characters', 'a'.repeat(33), '1'],
    ['nothing', '', '1'],
    ['a broken offset', 'abc', '7.5'],
    ['a negative offset', 'abc', '-1'],
    ['an offset beyond all numbers', 'abc', '1234567890123456'],
    ['a hexadecimal offset', 'abc', '0x7'],
  ] as const)('[POS] begin a new epoch when they make no cursor: %s', async ([, epoch, offset]) => {
    await using all = await startSpoilt();
    const { node, spoil } = all;
    await spoil('HSET', 'meta', 'epoch', epoch, 'offset', offset, 'boot', 'x');
    const position = await node.broker.subscribe(P);
    expect(position).toEqual({ epoch: expect.stringMatching(CURSOR), offset: 0 });
    await spoil('HSET', 'meta', 'epoch', epoch, 'offset', offset);
    const published = await node.broker.publish(event());
    expect(published.position).toEqual({ epoch: expect.stringMatching(CURSOR), offset: 1 });
    expect(published.position?.epoch).not.toBe(position?.epoch);
  });

  test('are named when an idempotency key has the wrong type', async () => {
    await using all = await startSpoilt();
    const { node, name, spoil } = all;
    await spoil('SADD', 'idem:K', 'not what it should be');
    const named = `WRONGTYPE Operation against a key holding the wrong kind of value: ${name('idem:K')}`;
    const cause = { message: expect.stringContaining(named) }; // its own message is for clients
    const publishing = node.broker.publish(event({ idempotency_key: 'K' }));
    await expect(publishing).rejects.toMatchObject({ code: 'unavailable', cause });
  });

  test.for([
    ['meta', 'SET', 'a text'],
    ['meta', 'SADD', 'a set'],
    ['log', 'SET', 'a text'],
    ['log', 'SADD', 'a set'],
  ] as const)(
    '[GAP] count as a lost history when they have the wrong type, and end with the next event: %s, %s',
    async ([suffix, verb, value]) => {
      await using all = await startSpoilt();
      const { node, name, spoil } = all;
      const start = await node.broker.subscribe(P);
      await node.broker.publish(event());
      await expect.poll(() => node.sink.offsets(P)).toEqual([1]);
      await command(redis.url, 'DEL', name(suffix));
      await spoil(verb, suffix, value);
      const newest = await node.broker.history(P, undefined, upTo(10));
      expect(newest.publications).toEqual([]);
      const missed = await node.broker.history(P, start, upTo(10));
      expect(missed).toMatchObject({ complete: false, publications: [] });
      await using later = await startNode({ url: redis.url, prefix: all.prefix });
      await expect(later.broker.subscribe(P)).resolves.toBeDefined();
      const { position } = await node.broker.publish(event());
      expect(position).toMatchObject({ offset: 1 });
      expect(position?.epoch).not.toBe(start?.epoch);
      await expect.poll(() => node.sink.resyncs(P)).toHaveLength(1);
      const healed = await node.broker.history(P, undefined, upTo(10));
      expect(healed.publications).toHaveLength(1);
    },
  );
});
