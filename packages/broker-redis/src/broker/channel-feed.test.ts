import { type Clock, ConcurrencyLimit, systemClock } from '@leque/core';
import type { Position } from '@leque/protocol';
import { Random } from '@leque/testkit';
import { FakeClock, RecordingSink, RecordingTelemetry } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { CHANNEL, FakeLog, payload } from '../../test/support/fake-log.ts';
import { ChannelFeed } from './channel-feed.ts';
import { MessageDecoder } from './decode-message.ts';

/** The first pause before Redis is asked again. */
const RETRY_MS = 100;
const PATIENCE = { timeout: 4000, interval: 5 };

function startFeed(clock: Clock = systemClock) {
  const [log, sink, telemetry] = [new FakeLog(), new RecordingSink(), new RecordingTelemetry()];
  const feed = new ChannelFeed(CHANNEL, true, {
    log,
    decoder: new MessageDecoder({ maxBytes: 65_536, schemas: 'warn' }, telemetry),
    sink,
    telemetry,
    clock,
    joins: new ConcurrencyLimit({ running: 4, waiting: 4 }),
    fills: new ConcurrencyLimit({ running: 4, waiting: 4 }),
    maxHeld: 1000,
  });
  const offsets = () => sink.offsets(CHANNEL);
  return { log, sink, telemetry, feed, offsets };
}

test('[GAP] publications that arrive before the first position are held, and those it covers are dropped', async () => {
  const { log, feed, offsets } = startFeed();
  const early = [log.append(), log.append()];
  const { promise, resolve } = Promise.withResolvers<void>();
  log.gate = promise;
  feed.message(early[0] ?? Buffer.alloc(0));
  feed.subscribed();
  feed.message(early[1] ?? Buffer.alloc(0));
  expect(offsets()).toEqual([]);
  resolve();
  expect(await feed.joined).toEqual({ epoch: 'e0', offset: 2 });
  feed.message(log.append());
  expect(offsets()).toEqual([3]);
});

test('[ORD] nothing overtakes while a gap is filled', async () => {
  const { log, feed, offsets, telemetry } = startFeed();
  feed.subscribed();
  await feed.joined;
  const [first, , third] = [log.append(), log.append(), log.append()];
  const { promise, resolve } = Promise.withResolvers<void>();
  log.gate = promise;
  feed.message(first);
  feed.message(third);
  feed.message(log.append());
  expect(offsets()).toEqual([1]);
  resolve();
  await expect.poll(offsets).toEqual([1, 2, 3, 4]);
  expect(telemetry.of('gap_filled')).toEqual([
    { type: 'gap_filled', channel: CHANNEL, publications: 3 },
  ]);
  feed.message(log.append());
  expect(offsets()).toEqual([1, 2, 3, 4, 5]);
});

test('[EV7.1] [ORD] live-only publications that wait for a gap come between what was read', async () => {
  const { log, sink, feed } = startFeed();
  const live = (type: string) => Buffer.from(`1 - 0 ${type} ${CHANNEL}\n{"type":"${type}"}`);
  const shown = () =>
    sink.publications(CHANNEL).map(({ position, type }) => position?.offset ?? type);
  feed.subscribed();
  await feed.joined;
  feed.message(log.append());
  feed.message(live('a'));
  log.append();
  const { promise, resolve } = Promise.withResolvers<void>();
  log.gate = promise;
  feed.message(log.append());
  feed.message(live('b'));
  feed.message(log.append());
  feed.message(live('c'));
  feed.message(live('d'));
  log.append();
  feed.message(log.append());
  feed.message(live('e'));
  expect(shown()).toEqual([1, 'a']);
  resolve();
  await expect.poll(shown, PATIENCE).toEqual([1, 'a', 2, 3, 'b', 4, 'c', 'd', 5, 6, 'e']);
});

test('[NP1.4] [ORD] a live-only publication that was overtaken by a stored one is dropped', async () => {
  const { log, sink, feed } = startFeed();
  const live = (type: string, after: number) =>
    Buffer.from(`1 - 0 ${type} ${CHANNEL} ${log.epoch}.${after}\n{"type":"${type}"}`);
  const shown = () =>
    sink.publications(CHANNEL).map(({ position, type }) => position?.offset ?? type);
  log.append();
  log.append();
  feed.subscribed();
  feed.message(live('early', 1));
  feed.message(live('a', 2));
  await feed.joined;
  feed.message(live('late', 1));
  feed.message(log.append());
  feed.message(live('b', 3));
  feed.message(live('old', 2));
  expect(shown()).toEqual(['a', 3, 'b']);
  expect(log.reads).toBe(1);
});

test('[LIVE] a flood behind a gap is left in Redis and read from there', async () => {
  const { log, feed, offsets, sink } = startFeed();
  feed.subscribed();
  await feed.joined;
  log.append();
  const { promise, resolve } = Promise.withResolvers<void>();
  log.gate = promise;
  for (let n = 0; n < 5000; n += 1) feed.message(log.append());
  log.gate = Promise.resolve();
  resolve();
  await expect.poll(() => offsets().length, PATIENCE).toBe(5001);
  expect(offsets()).toEqual(Array.from({ length: 5001 }, (_, index) => index + 1));
  expect(sink.resyncs(CHANNEL)).toEqual([]);
});

test('[GAP] a history that cannot be read is asked for until Redis answers', async () => {
  const { log, feed, offsets } = startFeed();
  feed.subscribed();
  await feed.joined;
  log.append();
  log.failing = true;
  feed.message(log.append());
  await expect.poll(() => log.reads, PATIENCE).toBeGreaterThan(2);
  expect(offsets()).toEqual([]);
  log.failing = false;
  await expect.poll(offsets, PATIENCE).toEqual([1, 2]);
});

test('[LIVE] a closed feed neither asks nor delivers', async () => {
  const clock = new FakeClock();
  const { log, feed, offsets } = startFeed(clock);
  feed.subscribed();
  await feed.joined;
  log.append();
  log.failing = true;
  feed.message(log.append());
  await expect.poll(() => clock.pending).toBe(1);
  clock.advance(RETRY_MS);
  await expect.poll(() => clock.pending).toBe(1);
  expect(log.reads).toBe(3);
  feed.close();
  log.failing = false;
  feed.message(log.append());
  await expect.poll(() => clock.pending).toBe(0);
  clock.advance(10 * RETRY_MS);
  await new Promise(setImmediate);
  expect(log.reads).toBe(3);
  expect(offsets()).toEqual([]);
});

test('[GAP] publications of a lost epoch are not delivered after its resync', async () => {
  const { log, feed, sink } = startFeed();
  feed.subscribed();
  await feed.joined;
  feed.message(log.append());
  const { promise, resolve } = Promise.withResolvers<void>();
  const late = [log.append(), log.append(), log.append()];
  log.gate = promise;
  feed.message(late[1] ?? Buffer.alloc(0));
  log.startEpoch('e1');
  feed.message(late[2] ?? Buffer.alloc(0));
  feed.message(log.append());
  resolve();
  await expect
    .poll(() =>
      sink
        .of(CHANNEL)
        .map((each) => (each.kind === 'resync' ? each.position : each.publication.position)),
    )
    .toEqual([
      { epoch: 'e0', offset: 1 },
      { epoch: 'e1', offset: 0 },
      { epoch: 'e1', offset: 1 },
    ]);
});

test('[LIVE] publications beyond the top in Redis are dropped, and not asked for again', async () => {
  const { log, feed, offsets, telemetry, sink } = startFeed();
  feed.subscribed();
  await feed.joined;
  feed.message(log.append());
  feed.message(payload({ epoch: 'e0', offset: 1000 }));
  await expect.poll(() => telemetry.of('event_dropped')).toHaveLength(1);
  expect(log.reads).toBe(2);
  feed.message(log.append());
  await expect.poll(offsets).toEqual([1, 2]);
  expect(log.reads).toBe(2);
  expect(sink.resyncs(CHANNEL)).toEqual([]);
});

test('[GAP] a resync never goes beyond the top in Redis', async () => {
  const { log, feed, offsets, sink } = startFeed();
  feed.subscribed();
  await feed.joined;
  for (let n = 0; n < 5; n += 1) log.append();
  log.oldest = 5;
  const { promise, resolve } = Promise.withResolvers<void>();
  log.gate = promise;
  feed.subscribed();
  await expect.poll(() => log.reads).toBe(2);
  feed.message(payload({ epoch: 'e0', offset: 1000 }));
  resolve();
  await expect.poll(() => sink.resyncs(CHANNEL)).toEqual([{ epoch: 'e0', offset: 5 }]);
  feed.message(log.append());
  await expect.poll(offsets).toEqual([6]);
  expect(sink.resyncs(CHANNEL)).toHaveLength(1);
});

test('[GAP] a new epoch is reported although nothing has been published in it', async () => {
  const { log, feed, sink } = startFeed();
  feed.subscribed();
  await feed.joined;
  feed.message(log.append());
  log.rename('e1');
  feed.subscribed();
  await expect.poll(() => sink.epochChanges(CHANNEL)).toEqual([{ epoch: 'e1', offset: 1 }]);
  feed.subscribed();
  feed.message(log.append());
  await expect.poll(() => feed.position).toEqual({ epoch: 'e1', offset: 2 });
  expect(sink.epochChanges(CHANNEL)).toHaveLength(1);
  expect(sink.resyncs(CHANNEL)).toEqual([]);
});

test.for(Array.from({ length: 20 }, (_, seed) => seed))(
  '[GAP] [DUP] offsets are contiguous or a resync is reported, whatever is lost or repeated (seed %i)',
  async (seed) => {
    const { log, feed, sink } = startFeed();
    const random = new Random(seed);
    feed.subscribed();
    await feed.joined;
    for (let step = 0; step < 400; step += 1) {
      const chance = random.next();
      disturb(log, feed, chance);
      const sent = log.append();
      if (chance < 0.7) feed.message(sent);
      if (random.next() < 0.1) await new Promise(setImmediate);
    }
    log.failing = false;
    feed.subscribed();
    const end = { epoch: log.epoch, offset: log.top };
    await expect.poll(() => feed.position, PATIENCE).toEqual(end);
    feed.message(log.append());
    await expect
      .poll(() => sink.publications(CHANNEL).at(-1)?.position, PATIENCE)
      .toEqual({ ...end, offset: end.offset + 1 });
    expect(brokenAt(sink)).toBe(-1);
    const delivered = sink.publications(CHANNEL).map(({ position }) => JSON.stringify(position));
    expect(new Set(delivered).size).toBe(delivered.length);
  },
);

/** Lets one thing go wrong, or most of the time nothing. */
function disturb(log: FakeLog, feed: ChannelFeed, chance: number): void {
  if (chance < 0.02) log.startEpoch(`e${chance}`);
  else if (chance < 0.05) feed.subscribed();
  else if (chance < 0.08) log.oldest = log.top;
  else if (chance < 0.1) log.failing = !log.failing;
  else if (chance < 0.15) {
    feed.message(payload({ epoch: log.epoch, offset: Math.max(1, log.top - 3) }));
  }
}

/** The index of a delivery that follows neither the one before it nor a resync; -1 for none. */
function brokenAt(sink: RecordingSink): number {
  let last: Position | undefined;
  return sink.of(CHANNEL).findIndex((each) => {
    const before = last;
    last = each.kind === 'resync' ? each.position : each.publication.position;
    if (each.kind === 'resync' || before === undefined) return false;
    return last?.epoch !== before.epoch || last.offset !== before.offset + 1;
  });
}
