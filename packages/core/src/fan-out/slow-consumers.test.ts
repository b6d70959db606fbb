import { CLOSE } from '@leque/protocol';
import type { FakeConnection } from '@leque/testkit/fakes';
import { describe, expect, test } from 'vitest';
import { HubUnderTest } from '../../test/hub-under-test.ts';
import { identity } from '../../test/samples.ts';
import { Publication } from '../publication/publication.ts';
import { parseSlowConsumerRules } from './slow-consumer-rules.ts';

/** A channel in which slow clients get only the newest `job_progress` of each `job_id`. */
const CONFLATED = 'project:C';
/** Half of the outbox; a client with more to read is too slow. */
const CONGESTED_BYTES = 501;
/** Time until backlogs are checked again. */
const ROUND_MS = 50;

async function subscribeTo(channel: string) {
  const node = new HubUnderTest();
  if (channel !== 'logs') node.broker.position = { epoch: 'e', offset: 0 };
  const { session, connection } = node.connect(identity('alice', ['C', 'P'], { scopes: ['logs'] }));
  await node.subscribe(session, channel);
  let offset = 0;
  const publish = (type: string, data: object) => {
    offset += 1;
    const position = channel === 'logs' ? undefined : { epoch: 'e', offset };
    const json = JSON.stringify({ type, data });
    node.hub.deliver(new Publication({ channel, type, position, json }));
    node.clock.endTurn();
  };
  const progress = (job: string, percent: number) =>
    publish('job_progress', { job_id: job, progress: percent });
  return { node, session, connection, publish, progress };
}

function readAgain(node: HubUnderTest, connection: FakeConnection): void {
  connection.bufferedBytes = 0;
  node.clock.advance(ROUND_MS);
  node.clock.endTurn();
}

describe('with conflate,', () => {
  test('[GAP] [RE2.2] a slow client gets the newest of each key, in order, after a resync', async () => {
    const { node, connection, progress, publish } = await subscribeTo(CONFLATED);
    progress('a', 1);
    connection.bufferedBytes = CONGESTED_BYTES;
    progress('a', 2); // 2
    progress('b', 1); // 3
    publish('job_started', { job_id: 'c' }); // 4
    progress('a', 3); // 5
    progress('a', 4); // 6
    expect(connection.sent).toEqual(['1']);
    readAgain(node, connection);
    expect(connection.sent).toEqual(['1', 'resync 2', '3', '4', '6']);
    expect(node.hub.counters).toMatchObject({ conflated: 2, dropped: 0 });
    progress('a', 5);
    expect(connection.sent.at(-1)).toBe('7');
  });

  test('[GAP] a slow client that missed nothing gets no resync', async () => {
    const { node, connection, progress } = await subscribeTo(CONFLATED);
    connection.bufferedBytes = CONGESTED_BYTES;
    progress('a', 1);
    progress('b', 1);
    readAgain(node, connection);
    expect(connection.sent).toEqual(['1', '2']);
    expect(node.hub.counters).toMatchObject({ conflated: 0, dropped: 0 });
  });

  test('[GAP] the resync position is before the next stored publication, also behind live ones', async () => {
    const { node, connection, progress } = await subscribeTo(CONFLATED);
    connection.bufferedBytes = CONGESTED_BYTES;
    progress('a', 1);
    const live = { channel: CONFLATED, type: 'live', position: undefined, json: '{"n":0}' };
    node.hub.deliver(new Publication(live));
    progress('a', 2);
    readAgain(node, connection);
    expect(connection.sent).toEqual(['resync 1', 'live', '2']);
  });

  test('[GAP] [ORD] the cursor reported to a slow client is from before its backlog', async () => {
    const { node, session, connection, progress } = await subscribeTo(CONFLATED);
    progress('a', 1);
    connection.bufferedBytes = CONGESTED_BYTES;
    progress('a', 2);
    progress('b', 1);
    const { outcome } = await node.hub.subscribe(session, CONFLATED);
    expect(outcome).toEqual({ cursor: 'e.1' });
    const since = { epoch: 'e', offset: 1 };
    const resumed = await node.hub.subscribe(session, CONFLATED, { since });
    expect(resumed.outcome).toEqual({ cursor: 'e.1', recovered: false });
    resumed.start();
    readAgain(node, connection);
    expect(connection.sent).toEqual(['1', '2', '3']);
    expect(resumed.outcome).toEqual({ cursor: 'e.3', recovered: false });
  });

  test('[ORD] new publications queue behind a backlog', async () => {
    const { node, connection, progress } = await subscribeTo(CONFLATED);
    connection.bufferedBytes = CONGESTED_BYTES;
    progress('a', 1);
    connection.bufferedBytes = 0;
    progress('b', 1);
    expect(connection.sent).toEqual([]);
    readAgain(node, connection);
    expect(connection.sent).toEqual(['1', '2']);
  });

  test('[MEM] the backlog is bounded: the oldest publications without a key are dropped', async () => {
    const { node, session, connection, publish } = await subscribeTo(CONFLATED);
    connection.bufferedBytes = CONGESTED_BYTES;
    for (let count = 0; count < 500; count += 1) publish('job_started', { job_id: `j${count}` });
    expect(session.open).toBe(true);
    expect(session.heldBytes).toBeLessThan(1000 - CONGESTED_BYTES);
    readAgain(node, connection);
    const [first = '', ...rest] = connection.sent;
    expect(first).toMatch(/^resync /);
    expect(rest.at(-1)).toBe('500');
    expect(rest[0]).toBe(String(Number(first.slice('resync '.length)) + 1));
    expect(session.heldBytes).toBe(0);
  });
});

test('[ORD] a backlog is not delivered after a later resync', async () => {
  const { node, session, connection, progress } = await subscribeTo(CONFLATED);
  connection.bufferedBytes = CONGESTED_BYTES;
  progress('a', 1);
  progress('a', 2);
  connection.bufferedBytes = 0;
  node.hub.resync(CONFLATED, { epoch: 'e', offset: 9 });
  expect(session.heldBytes).toBe(0);
  readAgain(node, connection);
  expect(connection.sent).toEqual(['resync 9']);
});

test.each([
  ['still waits', false],
  ['was left out', true],
])(
  '[GAP] a cursor from before a backlog that %s is not reported as recovered',
  async (_, isRelieved) => {
    const { node, session, connection, progress } = await subscribeTo(CONFLATED);
    progress('a', 1);
    connection.bufferedBytes = CONGESTED_BYTES;
    progress('a', 2);
    progress('a', 3);
    if (isRelieved) readAgain(node, connection);
    const since = { epoch: 'e', offset: 1 };
    const subscription = await node.hub.subscribe(session, CONFLATED, { since });
    expect(subscription.recovered).toBe(false);
  },
);

test('[GAP] with drop-oldest, a slow client of a live-only channel gets the newest after a resync', async () => {
  const { node, connection, publish } = await subscribeTo('logs');
  connection.bufferedBytes = CONGESTED_BYTES;
  for (let count = 0; count < 100; count += 1) publish(`log${count}`, {});
  readAgain(node, connection);
  expect(connection.sent[0]).toBe('resync undefined');
  expect(connection.sent.at(-1)).toBe('log99');
  expect(node.hub.counters.dropped).toBe(100 - (connection.sent.length - 1));
});

test('[MEM] a slow client is closed in a channel without a rule', async () => {
  const { node, connection, publish } = await subscribeTo('project:P');
  connection.bufferedBytes = CONGESTED_BYTES;
  connection.reads = false;
  for (let count = 0; count < 100; count += 1) publish('x', {});
  node.clock.endTurn();
  expect(connection.closed?.code).toBe(CLOSE.slowConsumer);
});

test('[LIVE] a session that ends with a backlog leaves nothing behind', async () => {
  const { node, session, connection, progress } = await subscribeTo(CONFLATED);
  connection.bufferedBytes = CONGESTED_BYTES;
  progress('a', 1);
  node.hub.remove(session);
  expect(session.heldBytes).toBe(0);
  readAgain(node, connection);
  node.hub.close();
  node.clock.advance(5000);
  expect(connection.sent).toEqual([]);
  expect(node.clock.pending).toBe(0);
});

test('[LIVE] one timer serves all slow clients, however they come and go', async () => {
  const { node, session, connection, progress } = await subscribeTo(CONFLATED);
  connection.bufferedBytes = CONGESTED_BYTES;
  const timers = node.clock.pending;
  for (let n = 1; n <= 10; n += 1) {
    progress('a', n);
    node.hub.unsubscribe(session, CONFLATED);
    await node.subscribe(session, CONFLATED);
  }
  progress('a', 11);
  expect(node.clock.pending).toBe(timers + 1);
  node.clock.advance(3 * ROUND_MS);
  expect(node.clock.pending).toBe(timers + 1);
});

test('[LIVE] no timer remains for a client that left while it was slow', async () => {
  const { node, session, connection, progress } = await subscribeTo(CONFLATED);
  const { pending: timers } = node.clock;
  connection.bufferedBytes = CONGESTED_BYTES;
  progress('a', 1);
  node.hub.unsubscribe(session, CONFLATED);
  await node.subscribe(session, CONFLATED); // no grace period
  node.clock.advance(2 * ROUND_MS);
  expect(node.clock.pending).toBe(timers);
});

test('[GAP] a client that had room for no publication still gets a resync', async () => {
  const { node, session, connection, publish } = await subscribeTo(CONFLATED);
  connection.bufferedBytes = 660; // of two thirds of a thousand, so that not one has room
  publish('job_started', { job_id: 'j' });
  publish('job_started', { job_id: 'k' });
  expect(session.heldBytes).toBe(0);
  connection.bufferedBytes = 0;
  publish('job_started', { job_id: 'l' });
  readAgain(node, connection);
  expect(connection.sent).toEqual(['resync 2', '3']);
  expect(node.hub.counters.dropped).toBe(2);
});

test('[GAP] publications whose key is neither a text nor a number are all kept', async () => {
  const { node, connection, publish } = await subscribeTo(CONFLATED);
  connection.bufferedBytes = CONGESTED_BYTES;
  publish('job_progress', { job_id: { id: 1 } });
  publish('job_progress', { job_id: { id: 2 } });
  publish('job_progress', { job_id: null });
  publish('job_progress', { job_id: null });
  readAgain(node, connection);
  expect(connection.sent).toEqual(['1', '2', '3', '4']);
});

describe('slow consumer rules', () => {
  test('match a channel, or all projects or users; the exact name wins', () => {
    const rules = parseSlowConsumerRules(
      'logs drop-oldest; project:* conflate job_progress/job_id,tick/symbol ;project:P drop-oldest',
    );
    expect(rules('logs')).toEqual({ kind: 'drop-oldest' });
    expect(rules('project:P')).toEqual({ kind: 'drop-oldest' });
    const keys = new Map([
      ['job_progress', 'job_id'],
      ['tick', 'symbol'],
    ]);
    expect(rules('project:Q')).toEqual({ kind: 'conflate', keys });
    expect(rules('user:u')).toBeUndefined();
    expect(parseSlowConsumerRules('')('all')).toBeUndefined();
  });

  test.each(['logs', 'logs conflate', 'nowhere drop-oldest', 'all conflate x', 'all close'])(
    'refuse "%s", and quote it',
    (rule) => {
      expect(() => parseSlowConsumerRules(`logs drop-oldest; ${rule}`)).toThrow(`"${rule}"`);
    },
  );
});
