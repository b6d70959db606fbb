import { MemoryBroker, MemoryStore } from '@leque/broker-memory';
import type { HistoryPage } from '@leque/core';
import { toCursor } from '@leque/protocol';
import { upTo } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { memoryLimits, startGateway, tokenFor } from './support/gateway.ts';
import { RawClient } from './support/raw-client.ts';

/** A broker that reads histories late. */
class LateBroker extends MemoryBroker {
  asked = 0;
  readonly late = Promise.withResolvers<void>();

  override async history(...asked: Parameters<MemoryBroker['history']>): Promise<HistoryPage> {
    const page = await super.history(...asked);
    this.asked += 1;
    await this.late.promise;
    return page;
  }
}

async function startWithHistory() {
  const broker = new MemoryBroker(new MemoryStore(memoryLimits()));
  const gateway = await startGateway({}, { broker });
  return {
    gateway,
    publish: (n: number) => gateway.publish({ type: 'x', data: { n }, project_id: 'P' }),
    async cursorOf(offset: number) {
      const { publications } = await broker.history('project:P', undefined, upTo(100));
      const position = publications.find((each) => each.position?.offset === offset)?.position;
      return position && toCursor(position);
    },
    [Symbol.asyncDispose]: () => gateway.stop(),
  };
}

const numbers = (client: RawClient) => client.of('x').map(({ data }) => data['n']);

test.each(['subscribe', 'resume'])(
  '[DUP] [ORD] [RE3.5] publications that came through the firehose are not repeated by a later %s',
  async (action) => {
    await using system = await startWithHistory();
    const { gateway, publish, cursorOf } = system;
    await publish(1);
    const cursor = await cursorOf(1);
    const token = await tokenFor('alice', { projects: ['*'] });
    using client = new RawClient(gateway.url, '/ws/notifications', token);
    await expect.poll(() => client.of('connection')).toHaveLength(1);
    await publish(2);
    await publish(3);
    await expect.poll(() => numbers(client)).toEqual([2, 3]);
    if (action === 'subscribe') client.say({ action, project_id: 'P', since: cursor });
    else client.say({ action, cursors: { 'project:P': cursor, 'project:Q': cursor } });
    const outcome = { recovered: false, cursor: await cursorOf(3) };
    const answer = () => client.of(action === 'subscribe' ? 'subscribed' : 'resumed')[0]?.data;
    await expect
      .poll(answer)
      .toMatchObject(action === 'subscribe' ? outcome : { channels: { 'project:P': outcome } });
    await publish(4);
    await expect.poll(() => numbers(client)).toEqual([2, 3, 4]);
  },
);

test('[RE1] [RE3] a cursor that arrives before the first firehose publication is recovered from', async () => {
  await using system = await startWithHistory();
  const { gateway, publish, cursorOf } = system;
  await publish(1);
  const cursor = await cursorOf(1);
  await publish(2);
  const token = await tokenFor('alice', { projects: ['*'] });
  using client = new RawClient(gateway.url, '/ws/notifications?resume=1', token);
  await expect.poll(() => client.of('connection')).toHaveLength(1);
  await publish(3);
  client.say({ action: 'resume', cursors: { 'project:P': cursor } });
  await expect.poll(() => numbers(client)).toEqual([2, 3]);
  expect(client.of('resumed')[0]?.data).toMatchObject({
    channels: { 'project:P': { recovered: true } },
  });
});

test('[GAP] [RE4.5] a channel that may not be resumed is reported, and the other channels are resumed', async () => {
  const store = new MemoryStore(memoryLimits());
  const broker = new LateBroker(store);
  await using gateway = await startGateway({}, { broker });
  const publish = (n: number) => gateway.publish({ type: 'x', data: { n }, project_id: 'P' });
  await publish(1);
  const position = store.position('project:P');
  await publish(2);
  const cursor = position && toCursor(position);
  const token = await tokenFor('alice', { projects: ['P'] });
  using client = new RawClient(gateway.url, '/ws/notifications?resume=1', token);
  await expect.poll(() => client.of('connection')).toHaveLength(1);
  client.say({ action: 'resume', cursors: { 'project:HIDDEN': cursor, 'project:P': cursor } });
  client.say({ action: 'ping', id: 'after' });
  await expect.poll(() => broker.asked).toBe(1);
  await publish(3);
  broker.late.resolve();
  await expect.poll(() => client.of('pong')).toHaveLength(1);
  await expect.poll(() => numbers(client)).toEqual([2, 3]);
  expect(client.of('resumed').map(({ data }) => data)).toMatchObject([
    {
      channels: {
        'project:P': { recovered: true },
        'project:HIDDEN': { recovered: false, code: 'forbidden' },
      },
    },
  ]);
});
