import { startRedis, uniquePrefix } from '@leque/testkit';
import { upTo } from '@leque/testkit/fakes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { foreignService, type Reply } from '../support/foreign-service.ts';
import { startNode } from '../support/redis-node.ts';

let redis: Awaited<ReturnType<typeof startRedis>>;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

test('[EV3.5] FCALL stores an event that does not fit its schema, and warns of it', async () => {
  const prefix = uniquePrefix();
  await using node = await startNode({ url: redis.url, prefix });
  const { fcall } = foreignService(redis.url, prefix);
  const json = '{"type":"notification","data":{"level":7},"idempotency_key":"k"}';
  const warnings = 'data.title is required; data.message is required; data.level must be a string';
  const first = (await fcall('user:alice', json)) as Reply[];
  expect(first.slice(2)).toEqual([1, 0, warnings]);
  expect(await fcall('user:alice', json)).toEqual([...first.slice(0, 3), 1, warnings]);
  const { publications } = await node.broker.history('user:alice', undefined, upTo(10));
  expect(publications.map(({ event }) => event['data'])).toEqual([{ level: 7 }]);
});

test('[EV3.5] PUBLISH passes an event that does not fit its schema, and nodes log its type once', async () => {
  const prefix = uniquePrefix();
  await using node = await startNode({ url: redis.url, prefix });
  const { publish } = foreignService(redis.url, prefix);
  await node.broker.subscribe('project:P');
  for (const n of [1, 2]) await publish('project:P', `{"type":"job_failed","data":{"n":${n}}}`);
  await expect.poll(() => node.sink.numbers('project:P')).toEqual([1, 2]);
  expect(node.telemetry.of('event_misfit')).toEqual([
    {
      type: 'event_misfit',
      eventType: 'job_failed',
      detail: 'data.job_id is required; data.error is required',
    },
  ]);
});
