import { startRedis, uniquePrefix } from '@leque/testkit';
import { makeEvent, upTo } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { startNode } from '../support/redis-node.ts';

const P = 'project:P';

test('[LIVE] hundreds of history reads do not delay subscribing a channel', async () => {
  await using redis = await startRedis();
  await using node = await startNode({ url: redis.url, prefix: uniquePrefix() });
  const text = 'x'.repeat(200);
  const events = Array.from({ length: 100 }, () => makeEvent(P, { text }));
  await Promise.all(events.map((event) => node.broker.publish(event)));
  const ended: string[] = [];
  const reading = Array.from({ length: 500 }, async (_, n) => {
    await node.broker.history(P, undefined, upTo(100 + n)).catch(() => {});
    ended.push('read');
  });
  await node.broker.subscribe('project:Q');
  expect(ended.length).toBeLessThan(300);
  await Promise.all(reading);
});
