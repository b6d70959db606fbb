import { expect, test } from 'vitest';
import { publication, TextFormat } from '../test/fakes.ts';
import { Batch } from './batch.ts';
import { Publication } from './publication.ts';
import { type Filter, Subscription } from './subscription.ts';

/** A session that remembers what it was sent. */
class Reader {
  readonly format = new TextFormat();
  readonly sent: string[] = [];
  maxQueuedBytes = 1_000_000;
  closed: number | undefined;

  send(frame: object): void {
    this.sent.push((frame as { text: string }).text);
  }

  close(code: number): void {
    this.closed = code;
  }
}

const P = 'project:P';
const at = (offset: number, epoch = 'e') => ({ epoch, offset });
const pages = (...offsets: number[]) => ({
  position: at(offsets.at(-1) ?? 0),
  publications: offsets.map((offset) => publication(P, offset)),
  complete: true,
});

function subscribe(accepts?: Filter) {
  const reader = new Reader();
  const subscription = new Subscription(reader, P, accepts);
  const offer = (...offsets: number[]) => {
    for (const offset of offsets) subscription.offer(new Batch([publication(P, offset)]));
  };
  return { reader, subscription, offer };
}

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

test('[DUP] what lies at or before the position is not delivered', () => {
  const { reader, subscription, offer } = subscribe();
  subscription.moveTo(at(2));
  subscription.start();
  offer(1, 2, 3, 3, 2, 4);
  expect(reader.sent).toEqual(['3', '4']);
});

test('[DUP] a new epoch starts again at one', () => {
  const { reader, subscription, offer } = subscribe();
  subscription.start();
  offer(1, 2);
  subscription.offer(new Batch([publication(P, 1, 'f')]));
  expect(reader.sent).toEqual(['1', '2', '1']);
});

test('what is live only has no position, and always passes', () => {
  const { reader, subscription } = subscribe();
  subscription.start();
  const live = new Publication({ channel: 'logs', type: 'log', position: undefined, json: '{}' });
  subscription.offer(new Batch([live]));
  subscription.offer(new Batch([live]));
  expect(reader.sent).toEqual(['log', 'log']);
  expect(subscription.position).toBeUndefined();
});

test('[DUP] [GAP] a replay and what is held meanwhile join without a seam', () => {
  const { reader, subscription, offer } = subscribe();
  subscription.moveTo(at(5));
  expect(subscription.rewind()).toBe(true);
  offer(6, 7);
  subscription.replay(at(2), pages(3, 4, 5, 6));
  expect(subscription.position).toEqual(at(2));
  subscription.start();
  expect(reader.sent).toEqual(['3', '4', '5', '6', '7']);
  expect(subscription.recovered).toBe(true);
});

test('[GAP] an incomplete replay delivers only what follows its top', () => {
  const { reader, subscription, offer } = subscribe();
  subscription.rewind();
  offer(6, 7);
  subscription.replay(at(2), { position: at(6), publications: [], complete: false });
  subscription.start();
  expect(reader.sent).toEqual(['7']);
  expect(subscription.recovered).toBe(false);
});

test('[ORD] once something was delivered, older publications cannot be replayed', () => {
  const { subscription, offer } = subscribe();
  subscription.start();
  expect(subscription.rewind()).toBe(true);
  subscription.start();
  offer(1);
  expect(subscription.rewind()).toBe(false);
});

test('[ORD] what a filter keeps back counts as seen', () => {
  const { reader, subscription, offer } = subscribe(() => false);
  subscription.start();
  offer(1);
  expect(subscription.rewind()).toBe(false);
  expect(subscription.position).toEqual(at(1));
  expect(reader.sent).toEqual([]);
});

test('[GAP] a resync is told, and what was held before it is not delivered', () => {
  const { reader, subscription, offer } = subscribe();
  offer(6, 7);
  subscription.resync(at(9));
  subscription.start();
  offer(9, 10);
  expect(reader.sent).toEqual(['resync 9', '10']);
});

test('[MEM] no more is held than may be queued', () => {
  const { reader, subscription, offer } = subscribe();
  offer(1);
  reader.maxQueuedBytes = 3 * subscription.heldBytes;
  offer(2, 3);
  expect(reader.closed).toBeUndefined();
  expect(reader.sent).toEqual([]);
  offer(4);
  expect(reader.sent).toEqual(['1', '2', '3', '4']);
  expect(subscription.heldBytes).toBe(0);
  expect(subscription.rewind()).toBe(false);
});

test('[ISO] a subscription that has ended delivers nothing that it held', () => {
  const { reader, subscription, offer } = subscribe();
  offer(1);
  subscription.end();
  subscription.replay(at(0), pages(1));
  subscription.start();
  expect(reader.sent).toEqual([]);
  expect(subscription.heldBytes).toBe(0);
});

test('[ORD] [DUP] [GAP] any mixture of live delivery and replay: each offset once, in order', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = randomOf(seed);
    const { reader, subscription, offer } = subscribe();
    const joinedAt = Math.floor(random() * 20);
    const since = Math.floor(random() * (joinedAt + 1));
    const top = joinedAt + Math.floor(random() * 20);
    subscription.moveTo(at(joinedAt));
    subscription.rewind();
    const heldUntil = joinedAt + Math.floor(random() * 20);
    offer(...range(joinedAt + 1, heldUntil));
    subscription.replay(at(since), pages(...range(since + 1, top)));
    subscription.start();
    const last = Math.max(heldUntil, top) + 3;
    // The node's own delivery goes on where it was, behind or before what the history had.
    offer(...range(heldUntil + 1, last));
    expect(reader.sent, `seed ${seed}`).toEqual(range(since + 1, last).map(String));
  }
});

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}

/** Mulberry32: enough for tests, and the same everywhere. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
