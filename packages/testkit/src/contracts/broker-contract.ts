import type { Published } from '@leque/core';
import { FIREHOSE } from '@leque/protocol';
import { expect, test } from 'vitest';
import { makeEvent } from '../fakes/make-event.ts';
import { upTo } from '../fakes/up-to.ts';
import {
  type BrokerCluster,
  PATIENCE,
  PROJECT,
  publishMany,
  range,
  USER,
} from './broker-cluster.ts';
import { describeHistory } from './history-contract.ts';
import { describeLists } from './lists-contract.ts';
import { describeLiveEvents } from './live-contract.ts';

/** The contract of every broker. Call it in a `describe`. */
export function describeBrokerContract(startCluster: () => Promise<BrokerCluster>): void {
  describeDelivery(startCluster);
  describeIdempotency(startCluster);
  describeHistory(startCluster);
  describeLists(startCluster);
  describeLiveOnly(startCluster);
}

function describeDelivery(startCluster: () => Promise<BrokerCluster>): void {
  test('[ORD] two nodes that publish at once see one order without holes', async () => {
    await using cluster = await startCluster();
    const nodes = [await cluster.node(), await cluster.node()];
    for (const { broker } of nodes) await broker.subscribe(PROJECT);
    const perNode = 2000;
    await Promise.all(
      nodes.map(({ broker }, node) => publishMany(broker, perNode, { data: { node } })),
    );
    for (const { sink } of nodes) {
      await expect.poll(() => sink.of(PROJECT).length, PATIENCE).toBe(2 * perNode);
      expect(sink.offsets(PROJECT)).toEqual(range(1, 2 * perNode));
    }
    const [first, second] = nodes.map(({ sink }) => sink.publications(PROJECT));
    expect(first?.map(({ json }) => json)).toEqual(second?.map(({ json }) => json));
  });

  test('[ORD] publications of one publisher arrive in the order of publishing', async () => {
    await using cluster = await startCluster();
    const [publisher, receiver] = [await cluster.node(), await cluster.node()];
    await receiver.broker.subscribe(PROJECT);
    await publishMany(publisher.broker, 500);
    await expect.poll(() => receiver.sink.numbers(PROJECT), PATIENCE).toEqual(range(1, 500));
  });

  test('[GAP] subscribing amid publications misses nothing after its position', async () => {
    await using cluster = await startCluster();
    const [publisher, receiver] = [await cluster.node(), await cluster.node()];
    const publishing = publishMany(publisher.broker, 1000);
    const position = await receiver.broker.subscribe(PROJECT);
    await publishing;
    const expected = range((position?.offset ?? 0) + 1, 1000);
    const seen = () =>
      receiver.sink.offsets(PROJECT).filter((each) => expected.includes(each ?? 0));
    await expect.poll(seen, PATIENCE).toEqual(expected);
    expect(receiver.sink.resyncs(PROJECT)).toEqual([]);
  });

  test('[DUP] a channel that is subscribed twice is delivered once', async () => {
    await using cluster = await startCluster();
    const { broker, sink } = await cluster.node();
    const first = await broker.subscribe(PROJECT);
    expect(await broker.subscribe(PROJECT)).toEqual(first);
    await publishMany(broker, 3);
    await expect.poll(() => sink.offsets(PROJECT)).toEqual([1, 2, 3]);
  });

  test('[GAP] subscribing again settles once everything published before has been delivered', async () => {
    await using cluster = await startCluster();
    const [publisher, receiver] = [await cluster.node(), await cluster.node()];
    for (const channel of [PROJECT, FIREHOSE]) await receiver.broker.subscribe(channel);
    for (let n = 1; n <= 200; n += 1) {
      await publisher.broker.publish(makeEvent(PROJECT, { n }));
      await receiver.broker.subscribe(FIREHOSE);
      expect(receiver.sink.numbers(PROJECT)).toEqual(range(1, n));
      expect(receiver.sink.numbers(FIREHOSE)).toEqual(range(1, n));
    }
  });

  test('[ISO] a node gets publications of its subscribed channels only', async () => {
    await using cluster = await startCluster();
    const [one, other] = [await cluster.node(), await cluster.node()];
    await one.broker.subscribe(PROJECT);
    await other.broker.subscribe(USER);
    await one.broker.publish(makeEvent(USER, { n: 1 }));
    await one.broker.publish(makeEvent('user:43', { n: 2 }));
    await one.broker.publish(makeEvent(PROJECT, { n: 3 }));
    await expect.poll(() => one.sink.numbers(PROJECT)).toEqual([3]);
    await expect.poll(() => other.sink.numbers(USER)).toEqual([1]);
    expect(one.sink.of(USER)).toEqual([]);
    expect(other.sink.of(PROJECT)).toEqual([]);
  });

  test('[LIVE] nothing arrives after unsubscribing, and everything after subscribing again', async () => {
    await using cluster = await startCluster();
    const { broker, sink } = await cluster.node();
    await broker.subscribe(PROJECT);
    await broker.subscribe('all');
    await broker.publish(makeEvent(PROJECT, { n: 1 }));
    await expect.poll(() => sink.numbers(PROJECT)).toEqual([1]);
    await broker.unsubscribe(PROJECT);
    await broker.publish(makeEvent(PROJECT, { n: 2 }));
    await broker.publish(makeEvent('all', { n: 0 }));
    await expect.poll(() => sink.numbers('all')).toEqual([0]);
    expect(await broker.subscribe(PROJECT)).toMatchObject({ offset: 2 });
    await broker.publish(makeEvent(PROJECT, { n: 3 }));
    await expect.poll(() => sink.numbers(PROJECT)).toEqual([1, 3]);
  });

  test('[ACK] an event arrives as it was published, with the position in the answer', async () => {
    await using cluster = await startCluster();
    const { broker, sink } = await cluster.node();
    await broker.subscribe(PROJECT);
    const event = makeEvent(PROJECT, { text: 'ção "quoted" \n 🎈', empty: [], big: 2 ** 53 });
    const published = await broker.publish(event);
    expect(published).toMatchObject({ messageId: event.messageId, duplicate: false });
    await expect.poll(() => sink.publications(PROJECT)).toHaveLength(1);
    const [publication] = sink.publications(PROJECT);
    expect(publication).toMatchObject({
      channel: PROJECT,
      origin: PROJECT,
      type: 'probe',
      json: event.json,
      position: published.position,
    });
    const { publications } = await broker.history(PROJECT, undefined, upTo(10));
    expect(publications.map(({ type, json }) => ({ type, json }))).toEqual([
      { type: 'probe', json: event.json },
    ]);
  });
}

function describeIdempotency(startCluster: () => Promise<BrokerCluster>): void {
  test('[ACK] one idempotency key stores and delivers once, however often and wherever it is tried', async () => {
    await using cluster = await startCluster();
    const nodes = [await cluster.node(), await cluster.node()];
    for (const { broker } of nodes) await broker.subscribe(PROJECT);
    const tries = range(1, 50).map((n) => {
      const event = makeEvent(PROJECT, { n }, { idempotency_key: 'order-7' });
      return nodes[n % 2]?.broker.publish(event) as Promise<Published>;
    });
    const results = await Promise.all(tries);
    expect(results.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(new Set(results.map(({ messageId }) => messageId)).size).toBe(1);
    expect(new Set(results.map(({ position }) => position?.offset))).toEqual(new Set([1]));
    for (const { broker, sink } of nodes) {
      await broker.publish(makeEvent(PROJECT, { last: true }));
      await expect.poll(() => sink.of(PROJECT).length).toBeGreaterThan(1);
    }
    expect(
      (await nodes[0]?.broker.history(PROJECT, undefined, upTo(100)))?.publications,
    ).toHaveLength(3);
  });

  test('[ACK] an idempotency key counts within its channel', async () => {
    await using cluster = await startCluster();
    const { broker } = await cluster.node();
    const rest = { idempotency_key: 'k' };
    expect((await broker.publish(makeEvent(PROJECT, {}, rest))).duplicate).toBe(false);
    expect((await broker.publish(makeEvent(USER, {}, rest))).duplicate).toBe(false);
    expect((await broker.publish(makeEvent('logs', {}, rest))).duplicate).toBe(false);
    expect((await broker.publish(makeEvent('logs', {}, rest))).duplicate).toBe(true);
  });

  test('[ACK] an idempotency key expires', async () => {
    await using cluster = await startCluster();
    const { broker } = await cluster.node();
    const publish = () => broker.publish(makeEvent(PROJECT, {}, { idempotency_key: 'k' }));
    await publish();
    expect((await publish()).duplicate).toBe(true);
    await cluster.expireIdempotencyKey(PROJECT, 'k');
    expect(await publish()).toMatchObject({ duplicate: false, position: { offset: 2 } });
  });
}

function describeLiveOnly(startCluster: () => Promise<BrokerCluster>): void {
  describeLiveEvents(startCluster);
  test('the log channel is live only: no positions and no history', async () => {
    await using cluster = await startCluster();
    const { broker, sink } = await cluster.node();
    expect(await broker.subscribe('logs')).toBeUndefined();
    const published = await publishMany(broker, 3, { channel: 'logs' });
    expect(published.map(({ position }) => position)).toEqual([undefined, undefined, undefined]);
    await expect.poll(() => sink.numbers('logs')).toEqual([1, 2, 3]);
    const page = await broker.history('logs', undefined, upTo(10));
    expect(page).toEqual({ complete: true, publications: [], position: undefined });
    expect((await broker.history('logs', { epoch: 'e', offset: 1 }, upTo(10))).complete).toBe(
      false,
    );
  });

  test('[ORD] the firehose repeats project publications under their own channel, and nothing else', async () => {
    await using cluster = await startCluster();
    const [publisher, receiver] = [await cluster.node(), await cluster.node()];
    expect(await receiver.broker.subscribe('firehose')).toBeUndefined();
    for (const channel of ['project:A', 'all', 'logs', USER, 'project:B', 'project:A']) {
      await publisher.broker.publish(makeEvent(channel));
    }
    // Ordered within each project only: in a Redis Cluster they come from several masters.
    const offsetsOf = (project: string) =>
      receiver.sink
        .publications('firehose')
        .filter(({ origin }) => origin === project)
        .map(({ originPosition }) => originPosition?.offset);
    await expect.poll(() => offsetsOf('project:A')).toEqual([1, 2]);
    await expect.poll(() => offsetsOf('project:B')).toEqual([1]);
    expect(receiver.sink.offsets('firehose')).toEqual([undefined, undefined, undefined]);
    expect(receiver.sink.of('project:A')).toEqual([]);
  });
}
