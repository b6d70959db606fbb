import { startRedis, type TestRedis, uniquePrefix } from '@leque/testkit';
import { makeEvent, upTo } from '@leque/testkit/fakes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { command, foreignService } from '../support/foreign-service.ts';
import { startNode } from '../support/redis-node.ts';

const P = 'project:P';
const LIVE = '{"type":"typing","data":{"n":1},"live":true}';
let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

async function startService(settings = {}) {
  const prefix = uniquePrefix();
  const node = await startNode({ url: redis.url, prefix, settings });
  return {
    node,
    ...foreignService(redis.url, prefix),
    [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
  };
}

test('[EV7] FCALL sends a live-only event on, stores no key, and answers without a position', async () => {
  await using service = await startService();
  const { node, fcall, storedKeys } = service;
  await node.broker.subscribe(P);
  await node.broker.subscribe('firehose');
  const before = await storedKeys();
  const reply = await fcall(P, LIVE);
  expect(reply).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), '', 0, 0]);
  for (const channel of [P, 'firehose']) {
    await expect.poll(() => node.sink.numbers(channel)).toEqual([1]);
    expect(node.sink.publications(channel)[0]).toMatchObject({ isLive: true, type: 'typing' });
  }
  expect(node.sink.publications(P)[0]?.event).toMatchObject({ live: true, project_id: 'P' });
  expect(await storedKeys()).toEqual(before);
});

test('[EV7.2] FCALL refuses a live-only event with an idempotency key', async () => {
  await using service = await startService();
  const reply = await service.fcall(P, LIVE, 'k');
  expect(String(reply)).toContain('ERR leque: idempotency_key must not be given with live');
});

test('[EV7] live-only events of FCALL, PUBLISH and a publisher come in the order of their arrival', async () => {
  await using service = await startService();
  const { node, fcall, publish } = service;
  await node.broker.subscribe(P);
  await fcall(P, '{"type":"x","data":{"n":1}}');
  await fcall(P, '{"type":"x","data":{"n":2},"live":true}');
  await publish(P, '{"type":"x","data":{"n":3},"live":true}');
  await publish(P, '{"type":"x","data":{"n":4}}');
  await node.broker.publish(makeEvent(P, { n: 5 }, { live: true }));
  await node.broker.publish(makeEvent(P, { n: 6 }));
  await expect.poll(() => node.sink.numbers(P)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(node.sink.offsets(P)).toEqual([1, undefined, undefined, undefined, undefined, 2]);
});

test('HISTORY_RULES give channels other sizes and times, and the rest keep those of their kind', async () => {
  const rules = 'project:stream:* size=7 ttl=600; project:stream:9 size=2; user:u ttl=60';
  await using service = await startService({ HISTORY_PROJECT_SIZE: 4, HISTORY_RULES: rules });
  const { node, key, fcall } = service;
  const channels = ['project:stream:1', 'project:stream:9', P, 'user:u'];
  for (const channel of channels) {
    for (let n = 1; n <= 9; n += 1) await node.broker.publish(makeEvent(channel, { n }));
    await fcall(channel, '{"type":"x","data":{"n":10}}');
  }
  const kept = await Promise.all(
    channels.map(async (channel) => {
      const { publications } = await node.broker.history(channel, undefined, upTo(100));
      const ttlMs = Number(await command(redis.url, 'PTTL', `${key(channel)}:log`));
      return [publications.length, Math.ceil(ttlMs / 60_000)];
    }),
  );
  expect(kept).toEqual([
    [7, 10],
    [2, 5],
    [4, 5],
    [10, 1],
  ]);
});
