import { startRedis, type TestRedis, uniquePrefix } from '@leque/testkit';
import { makeEvent, upTo } from '@leque/testkit/fakes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { command, foreignService, type Reply } from '../support/foreign-service.ts';
import { type RedisNode, startNode } from '../support/redis-node.ts';

const P = 'project:P';
let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

/** A node, and the function as the node calls it. */
async function startAppending(settings = {}) {
  const prefix = uniquePrefix();
  const node = await startNode({ url: redis.url, prefix, settings });
  const { key } = foreignService(redis.url, prefix);
  const append = async (channel: string, ...events: [n: number, idempotencyKey?: string][]) => {
    const args = events.flatMap(([n, idempotencyKey = '']) => {
      const { type, messageId, json } = makeEvent(channel, { n }, { message_id: `m-${n}` });
      return [type, messageId, json, idempotencyKey];
    });
    const reply = await command(redis.url, 'FCALL', 'leque_append', '1', key(channel), ...args);
    if (reply instanceof Error) throw reply;
    return reply as Reply[];
  };
  return { node, key, append, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
}

async function kept({ broker }: RedisNode, channel = P) {
  const { publications } = await broker.history(channel, undefined, upTo(1000));
  return publications.map(({ position, event }) => [
    position?.offset,
    (event['data'] as { n: number }).n,
  ]);
}

describe('FCALL leque_append', () => {
  test('[ORD] stores and delivers the events of a call in order, without holes', async () => {
    await using all = await startAppending();
    const { node, append } = all;
    await node.broker.subscribe(P);
    await node.broker.subscribe('firehose');
    const [epoch, ...offsets] = await append(P, [1], [2], [3]);
    expect(offsets).toEqual([1, 2, 3]);
    expect(await append(P, [4])).toEqual([epoch, 4]);
    expect((await node.broker.publish(makeEvent(P, { n: 5 }))).position).toEqual({
      epoch,
      offset: 5,
    });
    expect(await append(P, [6], [7])).toEqual([epoch, 6, 7]);
    const inOrder = [1, 2, 3, 4, 5, 6, 7];
    await expect.poll(() => node.sink.offsets(P)).toEqual(inOrder);
    expect(node.sink.numbers(P)).toEqual(inOrder);
    await expect.poll(() => node.sink.numbers('firehose')).toEqual(inOrder);
    expect(await kept(node)).toEqual(inOrder.map((n) => [n, n]));
  });

  test('[ACK] finds the first event of a repeated idempotency key, in the same call and in another', async () => {
    await using all = await startAppending();
    const { node, append } = all;
    await node.broker.subscribe(P);
    const [epoch, ...results] = await append(P, [1, 'k'], [2, 'k'], [3], [4, 'other']);
    expect(results).toEqual([1, ['m-1', epoch, 1], 2, 3]);
    const again = await append(P, [5, 'other'], [6, 'k'], [7]);
    expect(again).toEqual([epoch, ['m-4', epoch, 3], ['m-1', epoch, 1], 4]);
    await expect.poll(() => node.sink.numbers(P)).toEqual([1, 3, 4, 7]);
    expect(await append(P, [8, 'k'])).toEqual(['', ['m-1', epoch, 1]]);
  });

  test('[GAP] gives no offset to an event that fails, and stores the others', async () => {
    await using all = await startAppending();
    const { node, key, append } = all;
    await node.broker.subscribe(P);
    await command(redis.url, 'LPUSH', `${key(P)}:idem:broken`, 'not a string');
    const [, ...results] = await append(P, [1], [2, 'broken'], [3, 'fine'], [4, 'broken']);
    expect(results).toEqual([1, expect.any(Error), 2, expect.any(Error)]);
    expect(String(results[1])).toContain('WRONGTYPE');
    const keys = ['broken', 'a', 'broken', 'b'];
    const publishing = keys.map((idempotency_key, index) =>
      node.broker.publish(makeEvent(P, { n: index + 5 }, { idempotency_key })),
    );
    expect(await Promise.allSettled(publishing)).toMatchObject([
      { reason: { code: 'unavailable', cause: { message: expect.stringContaining('WRONGTYPE') } } },
      { value: { position: { offset: 3 }, duplicate: false } },
      { reason: { code: 'unavailable' } },
      { value: { position: { offset: 4 }, duplicate: false } },
    ]);
    await expect.poll(() => node.sink.numbers(P)).toEqual([1, 3, 6, 8]);
    expect(node.sink.offsets(P)).toEqual([1, 2, 3, 4]);
    expect(await kept(node)).toHaveLength(4);
  });

  test('keeps as many events as are configured, however many one call has', async () => {
    await using own = await startRedis({ own: true });
    const prefix = uniquePrefix();
    const settings = { HISTORY_PROJECT_SIZE: 3 };
    await using node = await startNode({ url: own.url, prefix, settings });
    await Promise.all(
      Array.from({ length: 250 }, (_, n) => node.broker.publish(makeEvent(P, { n: n + 1 }))),
    );
    expect(await kept(node)).toEqual([248, 249, 250].map((n) => [n, n]));
  });

  test('delivers every event of a channel without history, without an epoch and offsets', async () => {
    await using all = await startAppending();
    const { node, append } = all;
    await node.broker.subscribe('logs');
    expect(await append('logs', [1, 'k'], [2], [3, 'k'])).toEqual(['', 0, 0, ['m-1', '', 0]]);
    await expect.poll(() => node.sink.numbers('logs')).toEqual([1, 2]);
  });

  test('begins a new epoch, once for all events of a call, when the meta of a log is lost', async () => {
    await using all = await startAppending();
    const { node, key, append } = all;
    const [epoch] = await append(P, [1], [2]);
    await command(redis.url, 'HSET', `${key(P)}:meta`, 'offset', '0');
    const [other, ...offsets] = await append(P, [3], [4]);
    expect(other).not.toBe(epoch);
    expect(offsets).toEqual([1, 2]);
    expect(await kept(node)).toEqual([
      [1, 3],
      [2, 4],
    ]);
  });

  test('refuses a key that names no channel', async () => {
    await using all = await startAppending();
    const reply = command(redis.url, 'FCALL', 'leque_append', '1', 'somewhere', 't', 'm', '{}', '');
    expect(String(await reply)).toContain('leque: not a channel key: somewhere');
    expect(await kept(all.node)).toEqual([]);
  });
});

test('[ORD] channels that are published to at the same time have an order each', async () => {
  await using all = await startAppending();
  const { broker } = all.node;
  const channels = [P, 'user:42', 'all'];
  const numbers = Array.from({ length: 150 }, (_, index) => index + 1);
  const published = await Promise.all(
    numbers.flatMap((n) => channels.map((channel) => broker.publish(makeEvent(channel, { n })))),
  );
  expect(published.map(({ position }) => position?.offset)).toEqual(
    numbers.flatMap((n) => channels.map(() => n)),
  );
  for (const channel of channels) {
    expect(await kept(all.node, channel)).toEqual(numbers.map((n) => [n, n]));
  }
});
