import { CLOSE, ProtocolError } from '@leque/protocol';
import { Random } from '@leque/testkit';
import { expect, test } from 'vitest';
import { at } from '../../test/hub-under-test.ts';
import { NodeWithHistory } from '../../test/node-with-history.ts';
import { parseSlowConsumerRules } from '../fan-out/slow-consumer-rules.ts';
import { Publication } from '../publication/publication.ts';

const [A, B, C] = ['project:A', 'project:B', 'project:C'] as const;
const MANY = Array<string>(200).fill(A);
/** More publications than an outbox of these tests has room for, as numbers from `first` on. */
const numbers = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, n) => String(first + n));

test('[RE6.3] what was missed in several channels is sent in the order in which it was stored', async () => {
  const node = new NodeWithHistory();
  const { session, connection } = node.join();
  node.publish(A, B, C, B, A, A, C, B, C, A);
  const caughtUp = await node.resume(session, { [A]: 0, [C]: 0, [B]: 1 });
  node.clock.endTurn();
  expect(connection.sent).toEqual(['1', '3', '4', '5', '6', '7', '8', '9', '10']);
  expect(caughtUp).toEqual([A, C, B]);
});

test('[RE6] [ORD] long histories of several channels are merged over their pages', async () => {
  const node = new NodeWithHistory({ publications: 7, bytes: 1000 });
  const { session, connection } = node.join();
  const random = new Random(1);
  for (let n = 0; n < 300; n += 1) node.publish(random.pick([A, A, A, B, B, C]));
  const caughtUp = await node.resume(session, { [A]: 0, [B]: 0, [C]: 0 });
  expect(caughtUp).toEqual([]);
  await node.settle(600);
  expect(connection.sent).toEqual(numbers(1, 300));
  expect(caughtUp).toEqual([A, B, C]);
});

test('[MEM] [GAP] [RE1.5] a history larger than the outbox follows at the pace of the client, then what is live', async () => {
  const node = new NodeWithHistory();
  const { session, connection } = node.join();
  node.publish(...MANY);
  connection.reads = false;
  const caughtUp = await node.resume(session, { [A]: 0 });
  for (let round = 0; round < 60; round += 1) {
    await node.settle(25);
    node.publish(A);
    expect(connection.bufferedBytes + session.heldBytes).toBeLessThanOrEqual(1000);
    if (round % 5 === 0) connection.bufferedBytes = 0;
  }
  connection.reads = true;
  connection.bufferedBytes = 0;
  await node.settle(600);
  expect({ closed: connection.closed, caughtUp }).toEqual({ closed: undefined, caughtUp: [A] });
  node.publish(A);
  expect(connection.sent).toEqual(numbers(1, MANY.length + 61));
});

test('[MEM] [RE7] the history of a client that does not read, and has a rule for slow ones, is read once', async () => {
  const slowConsumerRules = parseSlowConsumerRules('project:A conflate tick/key');
  const node = new NodeWithHistory({ publications: 10, bytes: 200 }, { slowConsumerRules });
  const { session, connection } = node.join();
  node.publish(...MANY);
  connection.reads = false;
  await node.resume(session, { [A]: 0 });
  await node.settle(500);
  expect(node.pages).toBeLessThanOrEqual(MANY.length / 10 + 1);
});

test('[GAP] [DUP] what is published while a page is read follows it once', async () => {
  const node = new NodeWithHistory();
  const { session, connection } = node.join();
  node.publish(...MANY);
  await node.resume(session, { [A]: 0 });
  for (let n = 0; n < 100; n += 1) {
    await node.settle(1);
    node.publish(A, B);
  }
  await node.settle(100);
  node.publish(A);
  const own = connection.sent.map(Number);
  expect(own).toEqual([...new Set(own)].toSorted((a, b) => a - b));
  expect(own).toHaveLength(MANY.length + 101);
});

test.each([true, false])(
  '[RE7.1] [MEM] live-only publications keep their places in a long history, or are counted (client reads: %s)',
  async (reads) => {
    const node = new NodeWithHistory();
    const { session, connection } = node.join();
    node.publish(...MANY);
    connection.reads = reads;
    await node.resume(session, { [A]: 0 });
    await node.settle(6);
    const live = (n: string) => {
      const init = { channel: A, type: 'typing', position: undefined, json: `{"n":"${n}"}` };
      node.hub.deliver(new Publication(init));
      node.clock.endTurn();
    };
    live('a');
    node.publish(A, A);
    live('b');
    node.publish(A);
    expect(session.heldBytes + connection.bufferedBytes).toBeLessThanOrEqual(1000);
    connection.reads = true;
    connection.bufferedBytes = 0;
    await node.settle(400);
    const whole = ['a', '201', '202', 'b', '203'];
    const end = reads ? whole : ['201', '202', '203', 'dropped 2'];
    expect(connection.sent).toEqual([...numbers(1, 200), ...end]);
  },
);

test('[GAP] [RE7.2] a history that is trimmed before its last page ends in a resync, and the channel goes on', async () => {
  const node = new NodeWithHistory();
  const { session, connection } = node.join();
  node.publish(...MANY);
  connection.reads = false;
  const caughtUp = await node.resume(session, { [A]: 0 });
  await node.settle();
  expect(connection.sent.length).toBeLessThan(MANY.length);
  node.trimmedTo = 190;
  connection.reads = true;
  connection.bufferedBytes = 0;
  await node.settle(200);
  node.publish(A);
  expect(connection.sent.slice(-2)).toEqual(['resync 200', '201']);
  expect(caughtUp).toEqual([A]);
});

test('[GAP] [RE7.3] a history that cannot be read between pages ends the connection for a retry', async () => {
  const node = new NodeWithHistory();
  const { session, connection } = node.join();
  node.publish(...MANY);
  await node.resume(session, { [A]: 0 });
  await node.settle(5);
  const { length } = connection.sent;
  expect(length).toBeGreaterThan(0);
  node.failure = new ProtocolError('unavailable', 'Redis is away');
  await node.settle(7000);
  expect(connection.closed).toMatchObject({ code: CLOSE.tryAgainLater });
  expect(connection.sent).toEqual(numbers(1, connection.sent.length));
  node.hub.remove(session);
  node.hub.close();
  node.clock.advance(10_000);
  expect(node.clock.pending).toBe(0);
});

test('[LIVE] [RE7.4] a client that reads nothing of what it has missed is closed as a slow consumer', async () => {
  const node = new NodeWithHistory();
  const { session, connection } = node.join();
  node.publish(...MANY);
  connection.reads = false;
  await node.resume(session, { [A]: 0 });
  await node.settle();
  node.clock.advance(29_000);
  expect(connection.closed).toBeUndefined();
  node.clock.advance(2000);
  expect(connection.closed).toMatchObject({ code: CLOSE.slowConsumer });
});

test('[RE5] a newer cursor between two pages skips what it covers', async () => {
  const node = new NodeWithHistory();
  const { session, connection } = node.join();
  node.publish(...MANY);
  await node.resume(session, { [A]: 0 });
  await node.settle(5);
  const { length } = connection.sent;
  await node.resume(session, { [A]: 180 });
  await node.settle(100);
  node.publish(A);
  expect(connection.sent.slice(length)).toEqual(numbers(181, 201));
});

test('[RE1.2] an older cursor between two pages repeats nothing, and loses nothing', async () => {
  const node = new NodeWithHistory();
  const { session, connection } = node.join();
  node.publish(...MANY);
  await node.resume(session, { [A]: 10 });
  await node.settle(5);
  await node.resume(session, { [A]: 2 });
  await node.settle(200);
  expect(connection.sent).toEqual(numbers(11, 200));
});

test('[LIVE] few pages are read at once, however many clients come back', async () => {
  const node = new NodeWithHistory();
  node.publish(...MANY);
  const clients = Array.from({ length: 30 }, () => node.join());
  const resuming = clients.map(({ session }) => node.resume(session, { [A]: 0 }));
  await Promise.all(resuming);
  node.mostAtOnce = 0;
  await node.settle(600);
  for (const { connection } of clients) expect(connection.sent).toEqual(numbers(1, 200));
  expect(node.mostAtOnce).toBeLessThanOrEqual(4);
});

test('[ISO] [LIVE] nothing more is sent of a channel that was left between two pages', async () => {
  const node = new NodeWithHistory();
  const { session, connection } = node.join();
  node.publish(...MANY, B);
  const caughtUp = await node.resume(session, { [A]: 0, [B]: 0 });
  await node.settle(5);
  node.hub.unsubscribe(session, A);
  const sentOfA = connection.sent.filter((text) => Number(text) <= 200).length;
  await node.settle(200);
  expect(connection.sent.filter((text) => Number(text) <= 200)).toHaveLength(sentOfA);
  expect(connection.sent.at(-1)).toBe('201');
  expect(caughtUp).toEqual([A, B]);
  expect(session.heldBytes).toBe(0);
});

test('[RE6.4] a channel that has caught up flows while another one is still read', async () => {
  const node = new NodeWithHistory();
  const { session, connection } = node.join();
  node.publish(B, ...MANY);
  connection.reads = false;
  const caughtUp = await node.resume(session, { [A]: 0, [B]: 0 });
  await node.settle();
  node.publish(B);
  await node.settle();
  expect(connection.sent).toContain('202');
  expect(caughtUp).toEqual([]);
  expect(session.subscriptions.get(A)?.position).not.toEqual(at(200));
});
