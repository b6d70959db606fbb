import type { Broker, Published } from '@leque/core';
import { type EventForEach, eventForEach, eventIn, tryParseLists } from '@leque/protocol';
import { expect, test } from 'vitest';
import { upTo } from '../fakes/up-to.ts';
import { type BrokerCluster, PATIENCE, range } from './broker-cluster.ts';

const RULES = { unaddressed: 'refuse', schemas: 'strict' } as const;
const IN_TIME = { expired: false };

/** Checks that a broker stores one event in many channels. */
export function describeLists(startCluster: () => Promise<BrokerCluster>): void {
  test('[EV8] [ACK] [ORD] one event for many users is what the same events one by one are', async () => {
    await using cluster = await startCluster();
    const [publisher, receiver] = [await cluster.node(), await cluster.node()];
    const users = ['alice', 'a"\\|{}é%', ...range(1, 150).map((n) => `u${n}`)];
    const event = eventFor({ user_ids: users, project_id: 'P' });
    const watched = event.channels.slice(0, 5);
    for (const channel of watched) await receiver.broker.subscribe(channel);
    const spread = await publishToEach(publisher.broker, event);
    for (const channel of event.channels) {
      await publisher.broker.publish(eventIn({ ...event, messageId: 'one by one' }, channel));
    }
    expect(spread.map(({ duplicate, messageId }) => [duplicate, messageId])).toEqual(
      users.map(() => [false, event.messageId]),
    );
    expect(new Set(spread.map(({ position }) => position?.offset))).toEqual(new Set([1]));
    for (const [index, channel] of event.channels.entries()) {
      const { publications } = await publisher.broker.history(channel, undefined, upTo(10));
      const [first, second] = publications;
      expect(first?.json, channel).toBe(second?.json);
      expect(first?.position).toEqual(spread[index]?.position);
      expect(first?.event).toMatchObject({ user_id: users[index], project_id: 'P' });
    }
    for (const channel of watched) {
      await expect.poll(() => receiver.sink.offsets(channel), PATIENCE).toEqual([1, 2]);
    }
  });

  test('[EV8.3] [ACK] a retry of a list stores the event where it is missing, and only there', async () => {
    await using cluster = await startCluster();
    const { broker } = await cluster.node();
    const event = eventFor({ project_ids: range(1, 60).map((n) => `p${n}`), idempotency_key: 'k' });
    const some = event.channels.filter((_, index) => index % 3 === 0);
    const first = await publishToEach(broker, { ...event, channels: some });
    expect(first.map(({ duplicate }) => duplicate)).toEqual(some.map(() => false));
    const again = await publishToEach(broker, { ...event, messageId: 'another' });
    expect(again.map(({ duplicate }) => duplicate)).toEqual(
      event.channels.map((channel) => some.includes(channel)),
    );
    for (const [index, channel] of event.channels.entries()) {
      const messageId = some.includes(channel) ? event.messageId : 'another';
      expect(again[index]).toMatchObject({ messageId, position: { offset: 1 } });
    }
    const alone = await broker.publish(eventIn(event, event.channels[0] ?? ''));
    expect(alone).toEqual({ ...first[0], duplicate: true });
  });

  test('[EV8] [ISO] the firehose repeats what a list stores for projects, and nothing for users', async () => {
    await using cluster = await startCluster();
    const { broker, sink } = await cluster.node();
    await broker.subscribe('firehose');
    await publishToEach(broker, eventFor({ user_ids: ['u'] }));
    await publishToEach(broker, eventFor({ project_ids: ['P', 'Q'] }));
    const origins = () => sink.publications('firehose').map(({ origin }) => origin);
    await expect.poll(() => origins().toSorted(), PATIENCE).toEqual(['project:P', 'project:Q']);
  });

  test('[EV7] [EV8] a live event for many is sent to each, and stored for none', async () => {
    await using cluster = await startCluster();
    const { broker, sink } = await cluster.node();
    for (const channel of ['user:a', 'user:b']) await broker.subscribe(channel);
    const event = eventFor({ user_ids: ['a', 'b', 'c'], live: true });
    const published = await publishToEach(broker, event);
    expect(published).toEqual(
      event.channels.map(() => ({ messageId: 'm', position: undefined, duplicate: false })),
    );
    for (const channel of ['user:a', 'user:b']) {
      await expect.poll(() => sink.publications(channel), PATIENCE).toHaveLength(1);
      expect(sink.publications(channel)[0]?.event).toMatchObject({ live: true });
      const { publications } = await broker.history(channel, undefined, upTo(1));
      expect(publications).toEqual([]);
    }
  });

  test('[LIVE] nothing is sent after the deadline, and the channels that are left are not stored', async () => {
    await using cluster = await startCluster();
    const { broker } = await cluster.node();
    const event = eventFor({ user_ids: range(1, 200).map((n) => `u${n}`) });
    const settled = await Promise.allSettled(broker.publishToEach(event, { expired: true }));
    for (const [index, each] of settled.entries()) {
      const { position } = await broker.history(event.channels[index] ?? '', undefined, upTo(1));
      const isStored = (position?.offset ?? 0) > 0;
      expect(each.status).toBe(isStored ? 'fulfilled' : 'rejected');
      if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'unavailable' });
    }
  });
}

function eventFor(fields: object): EventForEach {
  const data = { text: 'ção "quoted" 🎈', big: 2 ** 53 };
  const sent = { type: 'probe', data, message_id: 'm', ...fields };
  const parsed = tryParseLists(sent, RULES);
  const [list] = parsed.ok ? parsed.lists : [];
  if (list === undefined) throw new Error(JSON.stringify(parsed));
  return eventForEach(
    list,
    list.recipients.map(({ channel }) => channel),
  );
}

function publishToEach(broker: Broker, event: EventForEach): Promise<Published[]> {
  return Promise.all(broker.publishToEach(event, IN_TIME));
}
