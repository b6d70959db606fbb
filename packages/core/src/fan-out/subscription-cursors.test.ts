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

test('[GAP] [RE3.4] publications that exceed the bound while the outcome is unknown make it not recovered', () => {
  const { reader, subscription, offer } = subscribe();
  reader.maxHeldBytes = 30;
  subscription.moveTo(at(5));
  subscription.present(at(3));
  offer(6, 7, 8, 9);
  expect({ held: reader.heldBytes, pending: subscription.pending }).toEqual({
    held: 0,
    pending: false,
  });
  subscription.replay(pages(4, 5, 6));
  offer(10);
  expect(reader.sent).toEqual([]);
  expect(subscription.outcome).toEqual({ cursor: 'e.9', recovered: false });
  subscription.start();
  expect(reader.sent).toEqual(['10']);
});

test('[GAP] [RE3.4] publications that exceed the bound, but are covered by the cursor, do not change the outcome', () => {
  const { reader, subscription, offer } = subscribe();
  reader.maxHeldBytes = 30;
  subscription.moveTo(at(1));
  subscription.present(at(6));
  offer(2, 3, 4, 5, 6, 7);
  subscription.replay(pages(7));
  subscription.start();
  offer(8);
  expect(subscription.outcome).toEqual({ cursor: 'e.8', recovered: true });
  expect(reader.sent).toEqual(['7', '8']);
});
