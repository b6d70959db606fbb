import { expect, test } from 'vitest';
import { HubUnderTest, P } from '../../test/hub-under-test.ts';
import { identity } from '../../test/samples.ts';
import { messageIdOf } from '../publication/message-id.ts';
import { Publication } from '../publication/publication.ts';
import { DeliveryJournal } from './delivery-journal.ts';

const journal = { entries: 4, ttlMs: 1_000 };

function stored(channel: string, offset: number, more: object = {}): Publication {
  const json = JSON.stringify({ type: 't', data: more, message_id: `m${offset}` });
  return new Publication({ channel, type: 't', position: { epoch: 'e', offset }, json });
}

test('a journal counts written and filtered sessions', async () => {
  const node = new HubUnderTest({ journal });
  await node.subscribe(node.connect().session, P);
  await node.subscribe(node.connect().session, P);
  await node.subscribe(node.connect().session, P, { accepts: () => false });
  node.hub.deliver(stored(P, 1));
  node.clock.endTurn();
  expect(node.hub.journal?.find('m1')).toMatchObject([
    {
      channel: P,
      position: { epoch: 'e', offset: 1 },
      receivedAt: node.clock.now(),
      live: { sessions: 3, written: 2, filtered: 1, slow: 0 },
      unread: 0,
    },
  ]);
});

test('an id that is used in many channels takes bounded memory: the newest channels are kept', () => {
  const kept = new DeliveryJournal(new HubUnderTest({}).clock, { entries: 4, ttlMs: 1_000 });
  const channels = Array.from({ length: 100 }, (_, index) => `project:${index}`);
  for (const channel of channels) kept.note(stored(channel, 1));
  expect(kept.find('m1').map(({ channel }) => channel)).toEqual(channels.slice(-16));
});

test('a journal counts the client that was closed because of a publication', async () => {
  const node = new HubUnderTest({ journal });
  const { session, connection } = node.connect();
  await node.subscribe(session, P);
  connection.bufferedBytes = 1_000; // all that it may have: it reads nothing
  node.hub.deliver(stored(P, 2));
  node.clock.endTurn();
  expect(connection.closed?.code).toBe(4008);
  expect(node.hub.journal?.find('m2')).toMatchObject([{ live: { written: 0, slow: 1 } }]);
});

test('only publications that a slow client had not read count as unread', async () => {
  const node = new HubUnderTest({ journal: { entries: 100, ttlMs: 1_000 } });
  const { session, connection } = node.connect();
  await node.subscribe(session, P);
  for (const each of [stored(P, 1), stored(P, 2, { text: 'x'.repeat(2_000) })]) {
    node.hub.deliver(each);
    node.clock.endTurn();
  }
  connection.bufferedBytes = 1_000; // the end of the second one
  node.hub.deliver(stored(P, 3));
  node.clock.endTurn();
  expect(node.hub.journal?.find('m1')).toMatchObject([{ live: { written: 1 }, unread: 0 }]);
  expect(node.hub.journal?.find('m2')).toMatchObject([{ live: { written: 1 }, unread: 1 }]);
  expect(node.hub.journal?.find('m3')).toMatchObject([{ live: { slow: 1 }, unread: 0 }]);
});

test('a slow close before a channel was left does not count for later publications', async () => {
  const node = new HubUnderTest({ journal: { entries: 100, ttlMs: 60_000 } });
  const { session, connection } = node.connect();
  await node.subscribe(session, P);
  for (const offset of [1, 2]) {
    node.hub.deliver(stored(P, offset));
    node.clock.endTurn();
  }
  connection.bufferedBytes = 1_000;
  node.hub.deliver(stored(P, 3));
  node.clock.endTurn();
  node.hub.remove(session);
  node.clock.advance(3_000); // the channel is left
  await node.subscribe(node.connect().session, P);
  node.hub.deliver(stored(P, 4));
  node.clock.endTurn();
  expect(node.hub.journal?.find('m4')).toMatchObject([{ live: { written: 1 }, unread: 0 }]);
});

test('a journal counts conflated and dropped publications, and those that reach slow clients later', async () => {
  const node = new HubUnderTest({ journal: { entries: 100, ttlMs: 10_000 } });
  const { session, connection } = node.connect(identity('alice', ['C']));
  await node.subscribe(session, 'project:C');
  connection.bufferedBytes = 600; // more than half of the outbox
  const progress = (offset: number) => {
    const json = JSON.stringify({
      type: 'job_progress',
      data: { job_id: 'j' },
      message_id: `m${offset}`,
    });
    const position = { epoch: 'e', offset };
    return new Publication({ channel: 'project:C', type: 'job_progress', position, json });
  };
  for (const offset of [1, 2]) {
    node.hub.deliver(progress(offset));
    node.clock.endTurn();
  }
  connection.bufferedBytes = 0;
  node.clock.advance(100);
  expect(node.hub.journal?.find('m1')).toMatchObject([{ live: { conflated: 1, written: 0 } }]);
  expect(node.hub.journal?.find('m2')).toMatchObject([{ live: { conflated: 0, written: 1 } }]);
});

test('recovered deliveries are counted apart from live ones', async () => {
  const node = new HubUnderTest({ journal });
  node.broker.page = {
    position: { epoch: 'e', offset: 1 },
    publications: [stored(P, 1)],
    complete: true,
  };
  await node.subscribe(node.connect().session, P, { since: { epoch: 'e', offset: 0 } });
  expect(node.hub.journal?.find('m1')).toMatchObject([
    { live: { sessions: 0, written: 0 }, recovered: { written: 1 } },
  ]);
});

test('[LIVE] [EV7] a journal keeps its limits, and remembers live-only publications but those of `logs`', async () => {
  const node = new HubUnderTest({ journal });
  const { session } = node.connect(identity('alice', ['P'], { scopes: ['logs'] }));
  for (const channel of [P, 'logs']) await node.subscribe(session, channel);
  for (const offset of [1, 2, 3, 4, 5]) node.hub.deliver(stored(P, offset));
  const json = JSON.stringify({ type: 't', message_id: 'live' });
  for (const channel of [P, 'logs'])
    node.hub.deliver(new Publication({ channel, type: 't', position: undefined, json }));
  node.clock.endTurn();
  const known = () => ['m1', 'm4', 'm5', 'live'].map((id) => node.hub.journal?.find(id).length);
  expect(known()).toEqual([0, 1, 1, 1]);
  expect(node.hub.journal?.find('live')).toMatchObject([{ channel: P, live: { written: 1 } }]);
  node.clock.advance(1_001);
  expect(known()).toEqual([0, 0, 0, 0]);
});

test('without a journal nothing is counted', async () => {
  const node = new HubUnderTest({ journal: { entries: 0, ttlMs: 1 } });
  await node.subscribe(node.connect().session, P);
  const publication = stored(P, 1);
  node.hub.deliver(publication);
  node.clock.endTurn();
  expect(node.hub.journal).toBeUndefined();
  expect(publication.deliveries).toBeUndefined();
});

test("the message id is the event's own, wherever others occur and however it is written", () => {
  const idOf = (json: string) =>
    messageIdOf(new Publication({ channel: P, type: 't', position: undefined, json }));
  expect(idOf('{"type":"t","message_id":"a-1","data":{}}')).toBe('a-1');
  expect(idOf('{"message_id":"own","data":{"message_id":"other"}}')).toBe('own');
  expect(idOf('{"data":{"message_id":"other"},"message_id":"own"}')).toBe('own');
  expect(idOf('{"message_id" : "spaced"}')).toBe('spaced');
  expect(idOf('{"message_id":"q\\"q\\u00e9"}')).toBe('q"qé');
  expect(idOf('{"type":"t"}')).toBeUndefined();
});
