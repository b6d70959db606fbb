import { expect, test } from 'vitest';
import { at, pages, subscribe } from '../../test/subscription-under-test.ts';

test('[GAP] [RE3] nothing is delivered while the outcome of a cursor is unknown', () => {
  const { reader, subscription, offer } = subscribe();
  subscription.moveTo(at(5));
  subscription.start();
  subscription.present(at(3));
  expect(subscription.needsHistory()).toBe(true);
  offer(6);
  subscription.start();
  offer(7);
  expect(reader.sent).toEqual([]);
  subscription.replay(pages(4, 5, 6));
  subscription.start();
  expect(reader.sent).toEqual(['4', '5', '6', '7']);
});

test('[DUP] [RE3.6] a node that is behind delivers nothing that the cursor covers', () => {
  const { reader, subscription, offer } = subscribe();
  subscription.moveTo(at(2));
  subscription.start();
  offer(3);
  subscription.present(at(5));
  expect(subscription.needsHistory()).toBe(true);
  offer(4);
  subscription.resync(at(4));
  offer(5, 6);
  subscription.replay(pages(6));
  expect(subscription.outcome).toEqual({ cursor: 'e.5', recovered: true });
  subscription.start();
  offer(7);
  expect(reader.sent).toEqual(['3', '6', '7']);
});

test('[RE3.5] [POS.5] a cursor from before the first publication is recovered where all after it was delivered', () => {
  const { reader, subscription, offer } = subscribe();
  subscription.moveTo(at(0, 'blank'));
  subscription.start();
  offer(1);
  subscription.present(at(0, 'blank'));
  expect(subscription.needsHistory()).toBe(false);
  expect(subscription.outcome).toEqual({ cursor: 'e.1', recovered: true });
  expect(reader.sent).toEqual(['1']);
  subscription.present(at(0, 'other'));
  expect(subscription.needsHistory()).toBe(false);
  expect(subscription.recovered).toBe(false);
});

test('[GAP] [MEM] [RE3.4] publications that exceed the bound after a cursor are dropped, and to be read', () => {
  const { reader, subscription, offer } = subscribe();
  reader.maxHeldBytes = 30;
  subscription.moveTo(at(5));
  subscription.present(at(3));
  offer(6, 7, 8, 9);
  expect({ held: reader.heldBytes, pending: subscription.pending }).toEqual({
    held: 0,
    pending: true,
  });
  subscription.replay(pages(4, 5, 6));
  offer(10);
  expect(subscription.outcome).toEqual({ cursor: 'e.3', recovered: true });
  expect(subscription.release()).toMatchObject({ hasMissed: true, hasGap: true });
  subscription.flow();
  expect(reader.sent).toEqual([]);
});

test('[GAP] [RE3.4] what a client cannot wait for is given up with a resync', () => {
  const { reader, subscription, offer } = subscribe();
  reader.maxHeldBytes = 30;
  subscription.moveTo(at(1));
  subscription.present(at(6));
  offer(2, 3, 4, 5, 6, 7);
  subscription.replay(pages(7));
  expect(subscription.outcome).toEqual({ cursor: 'e.6', recovered: true });
  subscription.start();
  offer(8);
  expect(reader.sent).toEqual(['resync undefined', '8']);
});

test.each([
  ['before anything was delivered', []],
  ['after newer publications', [51, 52]],
])('[RE5.1] an older cursor than the one that was presented replays nothing, %s', (_, offsets) => {
  const { reader, subscription, offer } = subscribe();
  subscription.moveTo(at(50));
  subscription.present(at(50));
  subscription.replay({ ...pages(), position: at(50) });
  subscription.start();
  offer(...offsets);
  subscription.present(at(1));
  expect(subscription.needsHistory()).toBe(false);
  expect(subscription.outcome).toEqual({ cursor: `e.${50 + offsets.length}`, recovered: true });
  subscription.start();
  offer(51, 52, 53);
  expect(reader.sent).toEqual(['51', '52', '53']);
});

test('[RE5] a newer cursor than the own position skips what it covers', () => {
  const { reader, subscription, offer } = subscribe();
  subscription.moveTo(at(100));
  subscription.present(at(1));
  subscription.replay(pages(...Array.from({ length: 99 }, (_, n) => n + 2)));
  subscription.present(at(98));
  expect(subscription.needsHistory()).toBe(true);
  subscription.replay(pages(99, 100));
  subscription.start();
  offer(101);
  expect(reader.sent).toEqual(['99', '100', '101']);
});

test('[GAP] [RE5.2] a cursor before what a client without a cursor was given is not recovered', () => {
  const { subscription, offer } = subscribe();
  subscription.moveTo(at(50));
  subscription.start();
  offer(51);
  subscription.present(at(1));
  expect(subscription.needsHistory()).toBe(false);
  expect(subscription.recovered).toBe(false);
});
