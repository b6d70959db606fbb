import { expect, test } from 'vitest';
import { makeEvent } from '../fakes/make-event.ts';
import { upTo } from '../fakes/up-to.ts';
import { type BrokerCluster, PATIENCE, PROJECT, range, USER } from './broker-cluster.ts';

const live = { live: true } as const;

/** The part of the broker's contract that is about events that are live only. */
export function describeLiveEvents(startCluster: () => Promise<BrokerCluster>): void {
  test('[EV7.1] [ORD] live-only events arrive between the stored ones of their publisher', async () => {
    await using cluster = await startCluster();
    const [publisher, receiver] = [await cluster.node(), await cluster.node()];
    for (const channel of [PROJECT, 'firehose']) await receiver.broker.subscribe(channel);
    const publishing = range(1, 300).map((n) =>
      publisher.broker.publish(makeEvent(PROJECT, { n }, n % 3 === 0 ? {} : live)),
    );
    const published = await Promise.all(publishing);
    for (const channel of [PROJECT, 'firehose']) {
      await expect.poll(() => receiver.sink.numbers(channel), PATIENCE).toEqual(range(1, 300));
    }
    const offsetOf = (n: number) => (n % 3 === 0 ? n / 3 : undefined);
    expect(receiver.sink.offsets(PROJECT)).toEqual(range(1, 300).map(offsetOf));
    expect(published.map(({ position }) => position?.offset)).toEqual(range(1, 300).map(offsetOf));
    const lives = receiver.sink.publications(PROJECT).filter(({ isLive }) => isLive);
    expect(lives).toHaveLength(200);
    expect(receiver.sink.publications('firehose').filter(({ isLive }) => isLive)).toHaveLength(200);
    expect(lives[0]?.event).toMatchObject({ live: true });
  });

  test('[EV7.1] [GAP] live-only events are in no history, move no position and are not remembered', async () => {
    await using cluster = await startCluster();
    const [publisher, receiver] = [await cluster.node(), await cluster.node()];
    const start = await receiver.broker.subscribe(USER);
    await publisher.broker.publish(makeEvent(USER, { n: 0 }, live));
    expect((await receiver.broker.subscribe(USER))?.offset).toBe(0);
    const { position } = await publisher.broker.publish(makeEvent(USER, { n: 1 }));
    for (const n of range(2, 400)) {
      if (n % 50 === 0) await publisher.broker.publish(makeEvent(USER, { n }));
      else
        expect(await publisher.broker.publish(makeEvent(USER, { n }, live))).toMatchObject({
          position: undefined,
          duplicate: false,
        });
    }
    const same = makeEvent(USER, { n: 401 }, { ...live, message_id: 'same' });
    for (const n of [1, 2]) {
      expect(await publisher.broker.publish(same), `attempt ${n}`).toEqual({
        messageId: 'same',
        position: undefined,
        duplicate: false,
      });
    }
    await expect.poll(() => receiver.sink.of(USER).length, PATIENCE).toBe(403);
    expect(receiver.sink.resyncs(USER)).toEqual([]);
    const page = await publisher.broker.history(USER, start, upTo(100));
    expect(page).toMatchObject({ complete: true, position: { epoch: position?.epoch, offset: 9 } });
    expect(page.publications.map(({ event }) => (event['data'] as { n: number }).n)).toEqual([
      1,
      ...range(1, 8).map((n) => 50 * n),
    ]);
  });

  test('[EV7] a live-only event in a channel without subscribers, or of `logs`, leaves nothing', async () => {
    await using cluster = await startCluster();
    const { broker, sink } = await cluster.node();
    await broker.publish(makeEvent('project:idle', {}, live));
    expect(await broker.subscribe('project:idle')).toMatchObject({ offset: 0 });
    await broker.subscribe('logs');
    await broker.publish(makeEvent('logs', { n: 1 }, live));
    await expect.poll(() => sink.numbers('logs')).toEqual([1]);
    expect(sink.of('project:idle')).toEqual([]);
  });
}
