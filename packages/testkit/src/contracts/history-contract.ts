import type { Position } from '@leque/protocol';
import { expect, test } from 'vitest';
import { makeEvent } from '../fakes/make-event.ts';
import { upTo } from '../fakes/up-to.ts';
import {
  type BrokerCluster,
  PROJECT,
  publishMany,
  USER,
  USER_HISTORY_SIZE,
} from './broker-cluster.ts';

/** The part of the broker's contract that is about histories. */
export function describeHistory(startCluster: () => Promise<BrokerCluster>): void {
  test('[GAP] another node reads exactly what followed a position', async () => {
    await using cluster = await startCluster();
    const [one, other] = [await cluster.node(), await cluster.node()];
    const start = await one.broker.subscribe(PROJECT);
    expect(start).toMatchObject({ offset: 0 });
    const published = await publishMany(one.broker, 20);
    const page = await other.broker.history(PROJECT, published[14]?.position, upTo(5));
    expect(page.complete).toBe(true);
    expect(page.position).toEqual(published[19]?.position);
    expect(page.publications.map(({ position }) => position)).toEqual(
      published.slice(15).map(({ position }) => position),
    );
    const all = await other.broker.history(PROJECT, start, upTo(1000));
    expect(all.complete).toBe(true);
    expect(all.publications).toHaveLength(20);
  });

  test('[GAP] a long history is read in pages, each from the end of the one before', async () => {
    await using cluster = await startCluster();
    const { broker } = await cluster.node();
    const start = await broker.subscribe(PROJECT);
    if (start === undefined) throw new Error('a project keeps its history');
    const published = await publishMany(broker, 5);
    const top = published[4]?.position;
    if (top === undefined) throw new Error('a publication has a position');
    const read: unknown[] = [];
    for (let after = start; after.offset < 5; ) {
      const page = await broker.pageAfter(PROJECT, after, upTo(2));
      expect(page).toMatchObject({ complete: true, position: top });
      expect(page.publications.length).toBeLessThanOrEqual(2);
      read.push(...page.publications.map((publication) => publication.position));
      after = page.publications.at(-1)?.position ?? top;
    }
    expect(read).toEqual(published.map(({ position }) => position));
    const end = { complete: true, publications: [], position: top };
    expect(await broker.pageAfter(PROJECT, top, upTo(2))).toEqual(end);
    const nothing = { complete: false, publications: [] };
    expect(await broker.pageAfter(PROJECT, { ...top, offset: 6 }, upTo(2))).toMatchObject(nothing);
    expect(await broker.pageAfter(PROJECT, { epoch: 'other', offset: 0 }, upTo(2))).toMatchObject(
      nothing,
    );
    await cluster.expireHistory(PROJECT);
    expect(await broker.pageAfter(PROJECT, start, upTo(2))).toMatchObject(nothing);
  });

  test('[GAP] a history is complete and empty when nothing was missed', async () => {
    await using cluster = await startCluster();
    const { broker } = await cluster.node();
    const [published] = await publishMany(broker, 1);
    const top = published?.position;
    const complete = { complete: true, publications: [], position: top };
    expect(await broker.history(PROJECT, top, upTo(10))).toEqual(complete);
    await cluster.expireHistory(PROJECT);
    expect(await broker.history(PROJECT, top, upTo(10))).toEqual(complete);
  });

  test('[GAP] a history that does not reach back is never given in part', async () => {
    await using cluster = await startCluster();
    const { broker } = await cluster.node();
    const published = await publishMany(broker, USER_HISTORY_SIZE + 10, { channel: USER });
    const at = (offset: number) => published[offset - 1]?.position;
    const page = (offset: number, limit: number) => broker.history(USER, at(offset), upTo(limit));
    const nothing = { complete: false, publications: [] };

    expect((await page(10, 1000)).publications).toHaveLength(USER_HISTORY_SIZE);
    expect(await page(9, 1000)).toMatchObject(nothing); // trimmed
    expect(await page(100, 109)).toMatchObject({ ...nothing, tooLarge: true }); // more than asked for
    expect(await page(9, 1)).not.toMatchObject({ tooLarge: true });
    expect((await page(100, 110)).publications).toHaveLength(110);
    const epoch = at(1)?.epoch ?? '';
    expect(await broker.history(USER, { epoch: 'other', offset: 200 }, upTo(1000))).toMatchObject(
      nothing,
    );
    expect(await broker.history(USER, { epoch, offset: 211 }, upTo(1000))).toMatchObject(nothing);
    await cluster.expireHistory(USER);
    expect(await page(209, 1000)).toMatchObject(nothing); // expired
  });

  test('[MEM] a history larger than the extent is not given, not even its first event', async () => {
    await using cluster = await startCluster();
    const { broker } = await cluster.node();
    const text = 'x'.repeat(10_000);
    const sizes: number[] = [];
    let end: Position | undefined;
    const start = await broker.subscribe(PROJECT);
    for (const n of [1, 2, 3]) {
      const event = makeEvent(PROJECT, { n, text });
      sizes.push(Buffer.byteLength(event.json));
      end = (await broker.publish(event)).position;
    }
    const whole = sizes.reduce((sum, size) => sum + size);
    const given = async (bytes: number, after = start) => {
      const page = await broker.history(PROJECT, after, { publications: 10, bytes });
      return page.complete && page.publications.length;
    };
    expect(await given(whole)).toBe(3);
    expect(await given(whole - 1)).toBe(false);
    const before = end && { ...end, offset: 2 };
    expect(await given(sizes[2] ?? 0, before)).toBe(1);
    expect(await given((sizes[2] ?? 0) - 1, before)).toBe(false);
    expect(await given(0, before)).toBe(false);
    expect(await given(0, end)).toBe(0);
  });

  test('[GAP] a cursor of a channel without publications survives its idleness', async () => {
    await using cluster = await startCluster();
    const { broker } = await cluster.node();
    const start = await broker.subscribe(PROJECT);
    expect(start).toMatchObject({ offset: 0 });
    await broker.unsubscribe(PROJECT);
    await cluster.expireHistory(PROJECT);
    await broker.publish(makeEvent(USER));
    const nothing = { complete: true, publications: [], position: { offset: 0 } };
    expect(await broker.history(PROJECT, start, upTo(10))).toMatchObject(nothing);
    const [first] = await publishMany(broker, 1);
    const page = await broker.history(PROJECT, start, upTo(10));
    expect(page.complete).toBe(true);
    expect(page.publications.map(({ position }) => position)).toEqual([first?.position]);
  });

  test('[POS.5] where a channel stands is known without a subscription, also before its first publication', async () => {
    await using cluster = await startCluster();
    const [one, other] = [await cluster.node(), await cluster.node()];
    const blank = await other.broker.top(PROJECT);
    expect(blank).toMatchObject({ offset: 0 });
    expect(await one.broker.subscribe(PROJECT)).toEqual(blank);
    const published = await publishMany(one.broker, 3);
    expect(await other.broker.top(PROJECT)).toEqual(published[2]?.position);
    const page = await other.broker.history(PROJECT, blank, upTo(10));
    expect(page).toMatchObject({ complete: true, position: published[2]?.position });
    expect(page.publications).toHaveLength(3);
    expect(await other.broker.top('logs')).toBeUndefined();
  });

  test('[GAP] an expired log is reported as incomplete, and its offsets go on', async () => {
    await using cluster = await startCluster();
    const { broker } = await cluster.node();
    const published = await publishMany(broker, 3);
    const [first, top] = [published[0]?.position, published[2]?.position];
    await cluster.expireHistory(PROJECT);
    await broker.publish(makeEvent(USER));
    const nothing = { complete: false, publications: [], position: top };
    expect(await broker.history(PROJECT, first, upTo(10))).toEqual(nothing);
    const [next] = await publishMany(broker, 1);
    expect(next?.position).toEqual({ epoch: top?.epoch, offset: 4 });
    expect((await broker.history(PROJECT, first, upTo(10))).complete).toBe(false);
    expect((await broker.history(PROJECT, top, upTo(10))).complete).toBe(true);
  });

  test('[GAP] offsets go on after the history has expired', async () => {
    await using cluster = await startCluster();
    const { broker, sink } = await cluster.node();
    await broker.subscribe(PROJECT);
    const [first] = await publishMany(broker, 1);
    await cluster.expireHistory(PROJECT);
    const [second] = await publishMany(broker, 1);
    expect(second?.position).toEqual({ epoch: first?.position?.epoch, offset: 2 });
    await expect.poll(() => sink.offsets(PROJECT)).toEqual([1, 2]);
    expect((await broker.history(PROJECT, first?.position, upTo(10))).complete).toBe(true);
  });

  test('the newest publications are read without a position, oldest first', async () => {
    await using cluster = await startCluster();
    const { broker } = await cluster.node();
    const newest = async (limit: number) =>
      (await broker.history(PROJECT, undefined, upTo(limit))).publications.map(
        (each) => each.event['data'],
      );
    expect(await newest(3)).toEqual([]);
    const unused = await broker.history(PROJECT, undefined, upTo(3));
    expect(unused.position).toEqual(await broker.top(PROJECT));
    await publishMany(broker, 5);
    expect(await newest(3)).toEqual([{ n: 3 }, { n: 4 }, { n: 5 }]);
    expect(await newest(100)).toHaveLength(5);
    expect(await newest(0)).toEqual([]);
  });
}
