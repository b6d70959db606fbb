import { FakeConnection } from '@leque/testkit/fakes';
import { describe, expect, test } from 'vitest';
import { at, HubUnderTest, P } from '../../test/hub-under-test.ts';
import { identity } from '../../test/samples.ts';
import type { BucketCounts } from '../lib/bucket-counts.ts';
import { Publication } from '../publication/publication.ts';

const TRANSPORT = 'fake';

function observed({ counts, sum }: BucketCounts) {
  return { observations: Array.from(counts).reduce((all, count) => all + count, 0), sum };
}

function publishedAt(offset: number, ms: number): Publication {
  const timestamp = new Date(ms).toISOString();
  const json = JSON.stringify({ type: 'a', data: {}, timestamp, message_id: 'm' });
  return new Publication({ channel: P, type: 'a', position: at(offset), json });
}

describe('fan-out counters', () => {
  test('count a write once, with all its messages and bytes', async () => {
    const node = new HubUnderTest();
    const { session } = node.connect();
    await node.subscribe(session, P);
    node.deliver(P, 1, 2, 3);
    const { counters } = node.hub;
    expect(counters.of(TRANSPORT)).toMatchObject({ open: 1, writes: 1, bytes: 30 });
    expect(observed(counters.writeMessages)).toEqual({ observations: 1, sum: 3 });
    expect(observed(counters.outboxBytes)).toEqual({ observations: 1, sum: 30 });
  });

  test('include bytes that the kernel has not taken in the outbox size', async () => {
    const node = new HubUnderTest();
    const { session, connection } = node.connect();
    await node.subscribe(session, P);
    connection.bufferedBytes = 100;
    node.deliver(P, 1);
    expect(node.hub.counters.outboxBytes.sum).toBe(110);
  });

  test('observe the delay of the oldest publication in each write', async () => {
    const node = new HubUnderTest();
    for (const name of ['alice', 'bob']) {
      const { session } = node.connect(identity(name), new FakeConnection());
      await node.subscribe(session, P);
    }
    const now = node.clock.now();
    node.hub.deliver(publishedAt(1, now - 200));
    node.hub.deliver(publishedAt(2, now - 50));
    node.clock.endTurn();
    expect(observed(node.hub.counters.publishToWriteSeconds)).toEqual({
      observations: 2,
      sum: 0.4,
    });
  });

  test("observe no delay for publications without a time and for the server's own messages", async () => {
    const node = new HubUnderTest();
    const { session } = node.connect();
    await node.subscribe(session, P);
    node.deliver(P, 1);
    expect(observed(node.hub.counters.publishToWriteSeconds).observations).toBe(0);
  });

  test('do not count connections that are gone as open', () => {
    const node = new HubUnderTest();
    const { session } = node.connect();
    node.connect();
    node.hub.remove(session);
    node.hub.remove(session);
    expect(node.hub.counters.of(TRANSPORT).open).toBe(1);
  });

  test('count recoveries by their outcome', async () => {
    const node = new HubUnderTest();
    const { session } = node.connect();
    await node.subscribe(session, P);
    node.deliver(P, 1, 2);
    await node.subscribe(session, P, { since: at(1) });
    const stranger = { since: at(1, 'another epoch') };
    await node.subscribe(session, P, stranger);
    expect(node.hub.counters.resumes).toEqual({ recovered: 0, not_recovered: 2, failed: 0 });
  });
});
