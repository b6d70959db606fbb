import { FakeClock, FakeConnection } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { FanOutCounters } from './fan-out-counters.ts';
import { Flusher } from './flusher.ts';
import { FrameJoiner } from './frame-joiner.ts';
import { Outbox } from './outbox.ts';
import { Pace } from './pace.ts';

const frame = (text: string, byteLength = 10) => ({ text, byteLength });

test('[MEM] queued bytes never pass the limit, including bytes not taken by the kernel', () => {
  const connection = new FakeConnection();
  const outbox = new Outbox(connection, 30, new FanOutCounters());
  expect(outbox.push(frame('a'), 1, 0)).toBe(true);
  expect(outbox.push(frame('b'), 1, 0)).toBe(true);
  connection.bufferedBytes = 5;
  expect(outbox.push(frame('c'), 1, 0)).toBe(false);
  expect(outbox.queuedBytes).toBe(25);
  connection.bufferedBytes = 0;
  expect(outbox.push(frame('c'), 1, 0)).toBe(true);
  expect(outbox.queuedBytes).toBe(30);
});

test('[MEM] a frame that is larger than the whole outbox is not queued', () => {
  expect(
    new Outbox(new FakeConnection(), 30, new FanOutCounters()).push(frame('a', 31), 1, 0),
  ).toBe(false);
});

test('everything queued is written at once, in order', () => {
  const connection = new FakeConnection();
  const outbox = new Outbox(connection, 100, new FanOutCounters());
  for (const text of ['a', 'b', 'c']) outbox.push(frame(text), 1, 0);
  const joiner = new FrameJoiner();
  outbox.flush(0, joiner);
  outbox.flush(0, joiner);
  expect(connection.writes).toEqual([['a', 'b', 'c']]);
  expect(outbox.empty).toBe(true);
  expect(outbox.queuedBytes).toBe(0);
});

test('outboxes are flushed once, at the end of the turn in which they were touched', () => {
  const clock = new FakeClock();
  const flusher = new Flusher(clock, new Pace(0), new FanOutCounters().sliceSeconds);
  const connections = [new FakeConnection(), new FakeConnection()];
  const outboxes = connections.map(
    (connection) => new Outbox(connection, 100, new FanOutCounters()),
  );
  for (const text of ['a', 'b']) {
    for (const outbox of outboxes) {
      outbox.push(frame(text), 1, 0);
      flusher.touch(outbox);
    }
  }
  expect(connections.map(({ writes }) => writes)).toEqual([[], []]);
  clock.endTurn();
  expect(connections.map(({ writes }) => writes)).toEqual([[['a', 'b']], [['a', 'b']]]);
  clock.endTurn();
  expect(connections.map(({ writes }) => writes.length)).toEqual([1, 1]);
});

test('an outbox touched during a flush is flushed in the next turn', () => {
  const clock = new FakeClock();
  const flusher = new Flusher(clock, new Pace(0), new FanOutCounters().sliceSeconds);
  const late = new FakeConnection();
  const lateOutbox = new Outbox(late, 100, new FanOutCounters());
  const first = new FakeConnection();
  first.write = () => {
    lateOutbox.push(frame('late'), 1, 0);
    flusher.touch(lateOutbox);
  };
  const firstOutbox = new Outbox(first, 100, new FanOutCounters());
  firstOutbox.push(frame('a'), 1, 0);
  flusher.touch(firstOutbox);
  clock.endTurn();
  expect(late.sent).toEqual([]);
  clock.endTurn();
  expect(late.sent).toEqual(['late']);
});
