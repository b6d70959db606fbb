import { expect, test } from 'vitest';
import { at, pages, pagesOf, subscribe } from '../../test/subscription-under-test.ts';
import { Publication } from '../publication/publication.ts';
import { Batch } from './batch.ts';

test('[ORD] nothing is delivered before the start, and everything in order after it', () => {
  const { reader, subscription, offer } = subscribe();
  offer(1, 2);
  expect(reader.sent).toEqual([]);
  expect(subscription.holding).toBe(true);
  subscription.start();
  offer(3);
  expect(reader.sent).toEqual(['1', '2', '3']);
  expect(subscription.position).toEqual(at(3));
});

test('[DUP] publications at or before the position are not delivered', () => {
  const { reader, subscription, offer } = subscribe();
  subscription.moveTo(at(2));
  subscription.start();
  offer(1, 2, 3, 3, 2, 4);
  expect(reader.sent).toEqual(['3', '4']);
});

test('[GAP] offsets of a new epoch start at one after a resync', () => {
  const { reader, subscription, offer, offerOf } = subscribe();
  subscription.start();
  offer(1, 2);
  subscription.resync(at(0, 'f'));
  offerOf('f', 1);
  expect(reader.sent).toEqual(['1', '2', 'resync 0', '1']);
});

test('[DUP] [GAP] a resync to an earlier position than the recovered one is ignored', () => {
  const { reader, subscription, offer } = subscribe();
  subscription.present(at(1));
  subscription.replay(pages(2, 3, 4));
  subscription.start();
  subscription.resync(at(2)); // its node is behind, and has missed something before that
  offer(3, 4, 5);
  expect(reader.sent).toEqual(['2', '3', '4', '5']);
});

test('[DUP] a publication replayed in the new epoch is not delivered again in the old one', () => {
  const { reader, subscription, offer, offerOf } = subscribe();
  subscription.moveTo(at(6));
  subscription.present(at(5));
  offer(7);
  offerOf('f', 8);
  subscription.replay(pagesOf('f', 6, 7, 8));
  subscription.start();
  offer(7);
  offerOf('f', 8, 9);
  expect(reader.sent).toEqual(['6', '7', '8', '9']);
});

test('[GAP] a replay from before an epoch change does not hide later publications', () => {
  const { reader, subscription, offerOf } = subscribe();
  subscription.moveTo(at(7));
  subscription.present(at(5));
  offerOf('f', 8);
  subscription.replay(pages(6, 7));
  subscription.start();
  offerOf('f', 9);
  expect(reader.sent).toEqual(['6', '7', '8', '9']);
});

test.each([true, false])(
  '[GAP] [ORD] publications of a lost epoch are not delivered after its end was answered (announced: %s)',
  (announced) => {
    const { reader, subscription, offerOf } = subscribe();
    subscription.moveTo(at(43));
    subscription.present(at(40));
    offerOf('e', 44, 45); // the node does not know the new epoch yet
    subscription.replay({ complete: false, publications: [], position: at(2, 'f') });
    if (announced) subscription.resync(at(2, 'f'));
    subscription.start();
    offerOf('e', 46);
    subscription.resync(at(2, 'f'));
    offerOf('f', 3, 4);
    offerOf('g', 5); // renamed
    expect(reader.sent).toEqual(['3', '4', '5']);
  },
);

test('live-only publications have no position and are always delivered', () => {
  const { reader, subscription } = subscribe();
  subscription.start();
  const live = new Publication({ channel: 'logs', type: 'log', position: undefined, json: '{}' });
  subscription.offer(new Batch([live]));
  subscription.offer(new Batch([live]));
  expect(reader.sent).toEqual(['log', 'log']);
  expect(subscription.position).toBeUndefined();
});

test('[DUP] [GAP] replayed and held publications join without holes and duplicates', () => {
  const { reader, subscription, offer } = subscribe();
  subscription.moveTo(at(5));
  subscription.present(at(2));
  expect(subscription.needsHistory()).toBe(true);
  offer(6, 7);
  subscription.replay(pages(3, 4, 5, 6));
  expect(subscription.position).toEqual(at(2));
  subscription.start();
  expect(reader.sent).toEqual(['3', '4', '5', '6', '7']);
  expect(subscription.recovered).toBe(true);
});

test('[GAP] an incomplete replay delivers only what follows its top', () => {
  const { reader, subscription, offer } = subscribe();
  subscription.present(at(2));
  offer(6, 7);
  subscription.replay({ position: at(6), publications: [], complete: false });
  subscription.start();
  expect(reader.sent).toEqual(['7']);
  expect(subscription.recovered).toBe(false);
});

test('[ORD] once something was delivered, older publications cannot be replayed', () => {
  const { reader, subscription, offer } = subscribe();
  subscription.moveTo(at(4));
  subscription.start();
  offer(5);
  subscription.present(at(3));
  expect(subscription.needsHistory()).toBe(false);
  expect(subscription.outcome).toEqual({ cursor: 'e.5', recovered: false });
  subscription.start();
  offer(6);
  expect(reader.sent).toEqual(['5', '6']);
});

test('[ORD] filtered publications count as seen', () => {
  const { reader, subscription, offer } = subscribe(() => false);
  subscription.start();
  offer(1);
  subscription.present(at(0));
  expect(subscription.needsHistory()).toBe(false);
  expect(subscription.position).toEqual(at(1));
  expect(reader.sent).toEqual([]);
});

test('[GAP] a resync is reported, and publications held before it are dropped', () => {
  const { reader, subscription, offer } = subscribe();
  offer(6, 7);
  subscription.resync(at(9));
  subscription.start();
  offer(9, 10);
  expect(reader.sent).toEqual(['resync 9', '10']);
});

test('[MEM] no more is held than the session may hold', () => {
  const { reader, subscription, offer } = subscribe();
  reader.maxHeldBytes = 30;
  offer(1, 2, 3);
  expect(reader.sent).toEqual([]);
  expect(reader.heldBytes).toBe(30);
  offer(4);
  expect(reader.sent).toEqual(['1', '2', '3', '4']);
  expect(reader.heldBytes).toBe(0);
  subscription.present(at(0));
  expect(subscription.needsHistory()).toBe(false);
});

test('[RE1.2] a cursor is recovered without a repetition when everything after it was delivered', () => {
  const { reader, subscription, offer } = subscribe();
  subscription.moveTo(at(5));
  subscription.start();
  offer(6, 7);
  for (const since of [at(5), at(6), at(7)]) {
    subscription.present(since);
    expect(subscription.needsHistory()).toBe(false);
    expect(subscription.outcome).toEqual({ cursor: 'e.7', recovered: true });
  }
  for (const since of [at(4), at(6, 'f')]) {
    subscription.present(since);
    expect(subscription.needsHistory()).toBe(false);
    expect(subscription.outcome).toEqual({ cursor: 'e.7', recovered: false });
  }
  subscription.present(at(8));
  expect(subscription.needsHistory()).toBe(true);
  expect(reader.sent).toEqual(['6', '7']);
});

test('[ISO] a subscription that has ended delivers nothing that it held', () => {
  const { reader, subscription, offer } = subscribe();
  offer(1);
  subscription.present(at(0));
  subscription.end();
  subscription.replay(pages(1));
  subscription.start();
  expect(reader.sent).toEqual([]);
  expect(reader.heldBytes).toBe(0);
});

test('[ORD] [DUP] [GAP] any mixture of delivery, replay and epoch changes brings each offset once, in order', () => {
  for (let seed = 1; seed <= 600; seed += 1) {
    const random = randomOf(seed);
    const { reader, subscription, offerOf } = subscribe();
    const joinedAt = Math.floor(random() * 20);
    const since = Math.floor(random() * (joinedAt + 1));
    const top = joinedAt + Math.floor(random() * 20);
    const heldUntil = joinedAt + Math.floor(random() * 20);
    const last = Math.max(heldUntil, top) + 3;
    // After a restart of Redis, publications and the history have another epoch.
    const renamedAfter = Math.floor(random() * (last + 1));
    const nameOf = (offset: number) => (offset > renamedAfter ? 'f' : 'e');
    const offer = (offsets: number[]) => {
      for (const offset of offsets) offerOf(nameOf(offset), offset);
    };
    subscription.moveTo(at(joinedAt, nameOf(joinedAt)));
    subscription.present(at(since, nameOf(since)));
    offer(range(joinedAt + 1, heldUntil));
    const readLate = top >= renamedAfter && random() < 0.5;
    const page = pagesOf(readLate ? 'f' : nameOf(top), ...range(since + 1, top));
    subscription.replay(page);
    subscription.start();
    // Live delivery continues at its own position, behind or ahead of the history.
    offer(range(heldUntil + 1, last));
    expect(reader.sent, `seed ${seed}`).toEqual(range(since + 1, last).map(String));
  }
});

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}

/** Mulberry32, a generator with a seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
