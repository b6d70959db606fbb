import { CLOSE, ProtocolError } from '@leque/protocol';
import { describe, expect, test } from 'vitest';
import { at, HubUnderTest, P } from '../../test/hub-under-test.ts';
import { publication } from '../../test/samples.ts';

/** Longer than a history is tried to be read. */
const RETRIES_MS = 6000;

describe('recovery', () => {
  const page = (...offsets: number[]) => ({
    position: at(offsets.at(-1) ?? 0),
    publications: offsets.map((offset) => publication(P, offset)),
    complete: true,
  });

  test('[GAP] [DUP] delivers the missed publications first, then the held ones, none twice', async () => {
    const node = new HubUnderTest();
    const { session, connection } = node.connect();
    node.broker.position = at(5);
    const history = Promise.withResolvers<ReturnType<typeof page>>();
    node.broker.page = history.promise;
    const subscribing = node.hub.subscribe(session, P, { since: at(3) });
    await Promise.resolve();
    await new Promise(setImmediate);
    node.hub.deliver(publication(P, 6));
    node.hub.deliver(publication(P, 7));
    history.resolve(page(4, 5, 6));
    const subscription = await subscribing;
    expect(subscription.recovered).toBe(true);
    subscription.start();
    node.deliver(P, 8);
    expect(connection.sent).toEqual(['4', '5', '6', '7', '8']);
  });

  test('[GAP] does not replay part of a history that no longer reaches back', async () => {
    const node = new HubUnderTest();
    const { session, connection } = node.connect();
    node.broker.position = at(50);
    node.broker.page = { position: at(50), publications: [], complete: false };
    const subscription = await node.subscribe(session, P, { since: at(3) });
    expect(subscription.recovered).toBe(false);
    expect(subscription.position).toEqual(at(50));
    node.deliver(P, 51);
    expect(connection.sent).toEqual(['51']);
  });

  test('[ORD] does not replay older publications after newer ones were delivered', async () => {
    const node = new HubUnderTest();
    const { session, connection } = node.connect();
    node.broker.position = at(5);
    await node.subscribe(session, P);
    node.deliver(P, 6);
    node.broker.page = page(4, 5, 6);
    const again = await node.subscribe(session, P, { since: at(3) });
    expect(again.recovered).toBe(false);
    node.deliver(P, 7);
    expect(connection.sent).toEqual(['6', '7']);
  });

  test('[RE1.2] reads nothing when everything after the cursor was delivered', async () => {
    const node = new HubUnderTest();
    const { session, connection } = node.connect();
    node.broker.position = at(5);
    await node.subscribe(session, P);
    node.deliver(P, 6);
    node.broker.page = { position: at(6), publications: [], complete: false };
    expect((await node.subscribe(session, P, { since: at(5) })).recovered).toBe(true);
    expect(node.broker.historyReads).toEqual([]);
    node.deliver(P, 7);
    expect(connection.sent).toEqual(['6', '7']);
  });

  test('reports no earlier recovery when a client subscribes again without a cursor', async () => {
    const node = new HubUnderTest();
    const { session } = node.connect();
    node.broker.position = at(5);
    node.broker.page = { position: at(5), publications: [], complete: false };
    expect((await node.subscribe(session, P, { since: at(3) })).recovered).toBe(false);
    expect((await node.subscribe(session, P)).outcome).toEqual({ cursor: 'e.5' });
  });

  test('recovers a cursor for an existing subscription before anything was delivered', async () => {
    const node = new HubUnderTest();
    const { session, connection } = node.connect();
    node.broker.position = at(5);
    await node.subscribe(session, P);
    node.broker.page = page(4, 5);
    const again = await node.subscribe(session, P, { since: at(3) });
    expect(again.recovered).toBe(true);
    node.deliver(P, 6);
    expect(connection.sent).toEqual(['4', '5', '6']);
  });

  test.for([
    ['a new', false],
    ['an existing', true],
  ] as const)(
    '[GAP] [RE4] closes the session when the history for %s subscription cannot be read, and delivers nothing',
    async ([, exists]) => {
      const node = new HubUnderTest();
      const { session, connection } = node.connect();
      if (exists) await node.subscribe(session, P);
      const failing = Promise.reject(new ProtocolError('unavailable', 'Redis is away'));
      failing.catch(() => {});
      node.broker.page = failing;
      const subscribing = node.subscribe(session, P, { since: at(3) });
      subscribing.catch(() => {});
      for (let waited = 0; waited < RETRIES_MS; waited += 50) {
        await new Promise(setImmediate);
        node.clock.advance(50);
        if (waited % 500 === 0) node.deliver(P, 4 + waited);
      }
      await expect(subscribing).rejects.toThrow('away');
      expect(node.broker.historyReads.length).toBeGreaterThan(5);
      expect(connection.sent).toEqual([]);
      expect(connection.closed?.code).toBe(CLOSE.tryAgainLater);
      expect({ held: session.heldBytes, subscriptions: session.subscriptions.size }).toEqual({
        held: 0,
        subscriptions: 0,
      });
    },
  );

  test('[GAP] [RE1.4] a history that can never be read does not reach back to the cursor', async () => {
    const node = new HubUnderTest();
    const { session, connection } = node.connect();
    node.broker.position = at(5);
    const spoilt = Promise.reject(new ProtocolError('internal', 'WRONGTYPE'));
    spoilt.catch(() => {});
    node.broker.page = spoilt;
    const subscription = await node.hub.subscribe(session, P, { since: at(3) });
    expect(subscription.outcome).toEqual({ cursor: 'e.5', recovered: false });
    subscription.start();
    node.deliver(P, 6);
    expect({ sent: connection.sent, closed: connection.closed }).toEqual({ sent: ['6'] });
    expect(node.telemetry.facts).toMatchObject([{ type: 'failure', where: 'read history' }]);
  });

  test('[GAP] reads a history again that could not be read for a moment', async () => {
    const node = new HubUnderTest();
    const { session, connection } = node.connect();
    node.broker.position = at(5);
    const failing = Promise.reject(new ProtocolError('unavailable', 'Redis is away'));
    failing.catch(() => {});
    node.broker.page = failing;
    const subscribing = node.subscribe(session, P, { since: at(3) });
    await expect.poll(() => node.broker.historyReads).toHaveLength(1);
    node.deliver(P, 6);
    node.broker.page = page(4, 5);
    await new Promise(setImmediate);
    node.clock.advance(100);
    expect((await subscribing).recovered).toBe(true);
    node.clock.endTurn();
    expect(connection.sent).toEqual(['4', '5', '6']);
  });

  test('[GAP] fails when a resync arrives meanwhile', async () => {
    const node = new HubUnderTest();
    const { session, connection } = node.connect();
    node.broker.position = at(5);
    const history = Promise.withResolvers<ReturnType<typeof page>>();
    node.broker.page = history.promise;
    const subscribing = node.hub.subscribe(session, P, { since: at(3) });
    await new Promise(setImmediate);
    node.hub.resync(P, at(0, 'f'));
    history.resolve(page(4, 5));
    const subscription = await subscribing;
    expect(subscription.recovered).toBe(false);
    subscription.start();
    node.hub.deliver(publication(P, 1, 'f'));
    node.clock.endTurn();
    expect(connection.sent).toEqual(['1']);
    expect(subscription.outcome).toEqual({ cursor: 'f.1', recovered: false });
  });

  test('[GAP] reports lost publications of a channel to its sessions', async () => {
    const node = new HubUnderTest();
    const { session, connection } = node.connect();
    await node.subscribe(session, P);
    node.deliver(P, 1);
    node.hub.resync(P, at(0, 'f'));
    node.hub.deliver(publication(P, 1, 'f'));
    node.clock.endTurn();
    expect(connection.sent).toEqual(['1', 'resync 0', '1']);
    expect(node.telemetry.facts).toEqual([{ type: 'resync', channel: P }]);
  });
});
