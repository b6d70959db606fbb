import { FakeConnection, TextFormat } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { at, HubUnderTest, P } from '../../test/hub-under-test.ts';
import { publication } from '../../test/samples.ts';
import { Publication } from '../publication/publication.ts';
import { FanOutCounters } from '../writing/fan-out-counters.ts';
import { FrameJoiner } from '../writing/frame-joiner.ts';
import { Outbox } from '../writing/outbox.ts';
import { Batch } from './batch.ts';

const batch = (...offsets: number[]) => new Batch(offsets.map((n) => publication(P, n)));

/** A format that records the memory passed to `join`. */
function recordingFormat() {
  const rooms: Buffer[] = [];
  const format = new TextFormat();
  const join = format.join.bind(format);
  format.join = (frames, room) => {
    rooms.push(room);
    return join(frames, room);
  };
  return { format, rooms };
}

test('[GAP] [DUP] only a session right before a batch gets it as one frame', () => {
  const three = batch(4, 5, 6);
  expect(three.follows(at(3))).toBe(true);
  for (const position of [at(2), at(4), at(6), at(3, 'f'), undefined]) {
    expect(three.follows(position), JSON.stringify(position)).toBe(false);
  }
  const acrossEpochs = new Batch([publication(P, 4), publication(P, 1, 'f')]);
  expect(acrossEpochs.follows(at(3))).toBe(false);
  const live = new Publication({ channel: P, type: 'x', position: undefined, json: '{"a":1}' });
  expect(new Batch([live]).follows(at(9))).toBe(true);
});

test('a batch is encoded as one frame, once per wire format', () => {
  const format = new TextFormat();
  const two = batch(1, 2);
  expect(two.frameIn(format)).toBe(two.frameIn(format));
  expect(two.frameIn(format)).toMatchObject({ frames: [{ text: '1' }, { text: '2' }] });
  expect(format.encoded).toBe(2);
});

test('[ORD] [DUP] a subscription added during a turn gets the later publications of that turn once', async () => {
  const node = new HubUnderTest();
  const early = node.connect();
  await node.subscribe(early.session, P);
  node.deliver(P, 1, 2);
  node.hub.deliver(publication(P, 3));
  const late = node.connect();
  const subscription = await node.subscribe(late.session, P);
  expect(subscription.position).toEqual(at(2));
  node.hub.deliver(publication(P, 4));
  node.clock.endTurn();
  node.deliver(P, 5);
  expect(early.connection.sent).toEqual(['1', '2', '3', '4', '5']);
  expect(late.connection.sent).toEqual(['3', '4', '5']);
});

test("[GAP] live-only publications do not move their channel's position", async () => {
  const node = new HubUnderTest();
  const early = node.connect();
  await node.subscribe(early.session, P);
  node.deliver(P, 1);
  const live = new Publication({ channel: P, type: 'x', position: undefined, json: '{"a":1}' });
  node.hub.deliver(live);
  node.clock.endTurn();
  const late = await node.subscribe(node.connect().session, P);
  expect(late.position).toEqual(at(1));
});

test('[GAP] a resync follows earlier publications of the same turn', async () => {
  const node = new HubUnderTest();
  const { session, connection } = node.connect();
  await node.subscribe(session, P);
  node.hub.deliver(publication(P, 1));
  node.hub.resync(P, at(7));
  node.hub.deliver(publication(P, 8));
  node.clock.endTurn();
  expect(connection.sent).toEqual(['1', 'resync 7', '8']);
});

test('[GAP] catching up offers all earlier publications of every channel first', async () => {
  const node = new HubUnderTest();
  const { session, connection } = node.connect();
  await node.subscribe(session, P);
  await node.subscribe(session, 'all');
  node.hub.deliver(publication(P, 1));
  node.hub.deliver(publication('all', 2));
  await node.hub.catchUp('all');
  node.hub.unsubscribe(session, P);
  node.clock.endTurn();
  expect(connection.sent).toEqual(['1', '2']);
});

test('[GAP] only sessions with the same queued frames share a joined frame', () => {
  const format = new TextFormat();
  const joiner = new FrameJoiner();
  const [one, two, three] = [1, 2, 3].map((n) => format.encodePublication(publication(P, n)));
  const frames = [one, two].filter((each) => each !== undefined);
  expect(joiner.join(format, [...frames])).toBe(joiner.join(format, [...frames]));
  const others = [one, three].filter((each) => each !== undefined);
  expect(joiner.join(format, others)).toMatchObject({ frames: [{ text: '1' }, { text: '3' }] });
  const all = [one, two, three].filter((each) => each !== undefined);
  for (const some of [frames, all, frames]) {
    expect(joiner.join(format, [...some])).toMatchObject({ frames: some });
  }
  const other = new TextFormat();
  expect(joiner.join(other, [...frames])).not.toBe(joiner.join(format, [...frames]));
});

test('[MEM] a frame that waits for slow sockets takes only its own size, and they share it', () => {
  const { format, rooms } = recordingFormat();
  const joiner = new FrameJoiner();
  const slow = [new FakeConnection(format), new FakeConnection(format)];
  for (const connection of slow) connection.reads = false;
  const flushAll = (connections: FakeConnection[], ...offsets: number[]) => {
    const frames = offsets.map((offset) => format.encodePublication(publication(P, offset)));
    for (const connection of connections) {
      const outbox = new Outbox(connection, 1000, new FanOutCounters());
      for (const frame of frames) outbox.push(frame, 1, 0);
      outbox.flush(0, joiner);
    }
  };
  const fast = new FakeConnection(format);
  flushAll(slow, 1, 2);
  expect(rooms).toHaveLength(1);
  rooms.length = 0;
  for (let n = 3; n < 13; n += 2) flushAll([fast, ...slow, fast], n, n + 1);
  const waiting = new Set(rooms.filter(({ length }) => length <= 20));
  expect(waiting.size).toBe(5);
  expect(new Set(rooms).size).toBe(5 + 1);
});

test('[MEM] the publications of a turn are split when they are too large for one frame', async () => {
  const node = new HubUnderTest();
  const connection = new FakeConnection();
  const { session } = node.connect(undefined, connection);
  await node.subscribe(session, P);
  const offsets = Array.from({ length: 300 }, (_, index) => index + 1);
  node.deliver(P, ...offsets);
  expect(connection.closed).toBeUndefined();
  expect(connection.sent).toEqual(offsets.map(String));
});

test('[ORD] bytes that wait for one socket are not overwritten for others', () => {
  const { format, rooms } = recordingFormat();
  const joiner = new FrameJoiner();
  const frames = (...offsets: number[]) =>
    offsets.map((offset) => format.encodePublication(publication(P, offset)));
  const flush = (connection: FakeConnection, ...offsets: number[]) => {
    const outbox = new Outbox(connection, 1000, new FanOutCounters());
    for (const frame of frames(...offsets)) outbox.push(frame, 1, 0);
    outbox.flush(0, joiner);
  };
  const slow = new FakeConnection(format);
  slow.reads = false;
  flush(new FakeConnection(format), 1, 2);
  flush(slow, 3, 4);
  flush(new FakeConnection(format), 5, 6);
  expect(rooms[1]).toBe(rooms[0]);
  expect(rooms[2]).not.toBe(rooms[1]);
});
