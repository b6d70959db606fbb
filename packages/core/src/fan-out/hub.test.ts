import { CLOSE, type Position } from '@leque/protocol';
import { FakeConnection, TextFormat } from '@leque/testkit/fakes';
import { describe, expect, test } from 'vitest';
import { at, HubUnderTest, P } from '../../test/hub-under-test.ts';
import { identity, publication } from '../../test/samples.ts';

describe('a hub', () => {
  test('[ORD] delivers to every subscribed session in order, and to no other session', async () => {
    const node = new HubUnderTest();
    const [one, two, other] = [node.connect(), node.connect(), node.connect()];
    await node.subscribe(one.session, P);
    await node.subscribe(two.session, P);
    await node.subscribe(other.session, 'all');
    node.deliver(P, 1, 2, 3);
    expect(one.connection.sent).toEqual(['1', '2', '3']);
    expect(two.connection.sent).toEqual(['1', '2', '3']);
    expect(other.connection.sent).toEqual([]);
    expect(node.hub.counters).toMatchObject({ publications: 3, messagesSent: 6 });
  });

  test('[GAP] gives new sessions cursors of a new epoch, and repeats nothing', async () => {
    const node = new HubUnderTest();
    const [first, second] = [node.connect(), node.connect()];
    await node.subscribe(first.session, P);
    node.hub.deliver(publication(P, 5));
    node.hub.epochChanged(P, at(5, 'e2'));
    expect((await node.subscribe(second.session, P)).position).toEqual(at(5, 'e2'));
    node.hub.deliver(publication(P, 6, 'e2'));
    node.clock.endTurn();
    expect([first.connection.sent, second.connection.sent]).toEqual([['5', '6'], ['6']]);
  });

  test('encodes a publication once for all sessions of a wire format', async () => {
    const node = new HubUnderTest();
    const format = new TextFormat();
    for (let count = 0; count < 3; count += 1) {
      const { session } = node.connect(identity('alice'), new FakeConnection(format));
      await node.subscribe(session, P);
    }
    node.deliver(P, 1);
    expect(format.encoded).toBe(1);
  });

  test('writes the publications of one turn of the event loop at once', async () => {
    const node = new HubUnderTest();
    const { session, connection } = node.connect();
    await node.subscribe(session, P);
    await node.subscribe(session, 'all');
    node.hub.deliver(publication(P, 1));
    node.hub.deliver(publication('all', 7));
    expect(connection.writes).toEqual([]);
    node.clock.endTurn();
    expect(connection.writes).toEqual([['1', '7']]);
  });

  test('delivers only the publications that a subscription accepts', async () => {
    const node = new HubUnderTest();
    const { session, connection } = node.connect();
    const accepts = ({ position }: { position: Position | undefined }) =>
      (position?.offset ?? 0) > 1;
    await node.subscribe(session, P, { accepts });
    node.deliver(P, 1, 2);
    expect(connection.sent).toEqual(['2']);
  });
});

describe('a session', () => {
  test.each(['project:Q', 'user:bob', 'firehose', 'nowhere'])(
    '[ISO] is refused %s without a grant for it',
    async (channel) => {
      const node = new HubUnderTest();
      const { session } = node.connect(identity('alice', ['P']));
      await expect(node.hub.subscribe(session, channel)).rejects.toMatchObject({
        code: 'forbidden',
      });
      expect(node.broker.subscribed.size).toBe(0);
      expect(session.subscriptions.size).toBe(0);
    },
  );

  test('[ISO] loses the subscriptions that a fresh token does not cover', async () => {
    const node = new HubUnderTest();
    const { session, connection } = node.connect(identity('alice', ['P', 'Q']));
    await node.subscribe(session, P);
    await node.subscribe(session, 'project:Q');
    node.hub.renew(session, identity('alice', ['Q']));
    node.deliver(P, 1);
    node.deliver('project:Q', 2);
    expect(connection.sent).toEqual(['2']);
  });

  test('[ISO] loses a subscription that is still being recovered if a fresh token does not cover it', async () => {
    const node = new HubUnderTest();
    const { session, connection } = node.connect(identity('alice', ['P', 'Q']));
    const history = Promise.withResolvers<typeof node.broker.page>();
    node.broker.page = history.promise as never;
    const subscribing = node.hub.subscribe(session, P, { since: at(0) });
    await new Promise(setImmediate);
    node.hub.renew(session, identity('alice', ['Q']));
    history.resolve({ position: at(1), publications: [publication(P, 1)], complete: true });
    await expect(subscribing).rejects.toMatchObject({ code: 'forbidden' });
    node.clock.endTurn();
    expect(connection.sent).toEqual([]);
  });

  test('refuses a fresh token of another user', () => {
    const node = new HubUnderTest();
    const { session } = node.connect(identity('alice'));
    expect(() => node.hub.renew(session, identity('bob'))).toThrow(/stays with its user/);
  });

  test('[ISO] ends with its token, unless a fresh one arrived', () => {
    const node = new HubUnderTest();
    const soon = { expiresAt: node.clock.now() + 5_000 };
    const [ends, renewed] = [
      node.connect(identity('alice', [], soon)),
      node.connect(identity('alice', [], soon)),
    ];
    node.clock.advance(3_000);
    node.hub.renew(renewed.session, identity('alice', []));
    node.clock.advance(3_000);
    expect(ends.connection.closed?.code).toBe(CLOSE.tokenExpired);
    expect(renewed.connection.closed).toBeUndefined();
  });
});

describe('a hub', () => {
  test('[LIVE] leaves a channel a grace period after its last subscription ended', async () => {
    const node = new HubUnderTest();
    const { session } = node.connect();
    await node.subscribe(session, P);
    node.hub.unsubscribe(session, P);
    node.clock.advance(1_999);
    expect(node.broker.subscribed).toEqual(new Set([P]));
    node.clock.advance(1);
    expect(node.broker.subscribed.size).toBe(0);
    expect(node.hub.channelCount).toBe(0);
  });

  test('[LIVE] keeps a channel that is subscribed again within the grace period', async () => {
    const node = new HubUnderTest();
    const { session } = node.connect();
    await node.subscribe(session, P);
    node.hub.unsubscribe(session, P);
    node.clock.advance(1_000);
    await node.subscribe(session, P);
    node.clock.advance(10_000);
    expect(node.broker.unsubscribed).toEqual([]);
  });

  test('[CNT] does not count a connection that is gone', async () => {
    const node = new HubUnderTest();
    const [one, two] = [node.connect(), node.connect()];
    await node.subscribe(one.session, P);
    await node.subscribe(two.session, P);
    expect(node.state.connections).toBe(2);
    expect(node.state.users.get('alice')).toBe(2);
    expect(node.state.channels.get(P)).toBe(2);
    node.hub.remove(one.session);
    node.hub.remove(one.session);
    expect(node.state.connections).toBe(1);
    expect(node.state.users.get('alice')).toBe(1);
    expect(node.state.channels.get(P)).toBe(1);
    node.hub.remove(two.session);
    expect(node.state.channels.get(P)).toBe(0);
    node.deliver(P, 1);
    expect([...one.connection.sent, ...two.connection.sent]).toEqual([]);
  });

  test('[CNT] refuses a late subscription of a connection that is gone', async () => {
    const node = new HubUnderTest();
    const { session } = node.connect();
    node.hub.remove(session);
    await expect(node.hub.subscribe(session, P)).rejects.toMatchObject({ code: 'unavailable' });
    expect(node.hub.channelCount).toBe(0);
    expect(node.state.channels.get(P) ?? 0).toBe(0);
  });

  test('rejects a subscription whose connection goes meanwhile', async () => {
    const node = new HubUnderTest();
    const { session } = node.connect();
    const answer = Promise.withResolvers<Position>();
    node.broker.position = answer.promise;
    const subscribing = node.hub.subscribe(session, P);
    node.hub.remove(session);
    answer.resolve(at(4));
    await expect(subscribing).rejects.toMatchObject({ code: 'unavailable' });
    expect(node.state.channels.get(P)).toBe(0);
    node.clock.advance(2_000);
    expect(node.hub.channelCount).toBe(0);
  });

  test('reports totals four times a second, as differences', async () => {
    const node = new HubUnderTest();
    const { session } = node.connect();
    await node.subscribe(session, P);
    const told = () => node.state.additions.map(({ messagesSent }) => messagesSent);
    expect(node.state.additions.splice(0)).toEqual([{ connections: 1 }]);
    node.deliver(P, 1, 2);
    node.clock.advance(249);
    expect(told()).toEqual([]);
    node.clock.advance(1);
    expect(told()).toEqual([2]);
    node.clock.advance(1_000);
    expect(told()).toEqual([2]);
    node.deliver(P, 3);
    node.hub.close();
    expect(told()).toEqual([2, 1]);
  });

  test('[LIVE] leaves no timers when it is closed', async () => {
    const node = new HubUnderTest();
    const { session } = node.connect();
    await node.subscribe(session, P);
    node.hub.remove(session);
    node.hub.close();
    expect(node.clock.pending).toBe(0);
  });
});

describe('slow consumers', () => {
  test('[MEM] are closed, and do not delay other clients', async () => {
    const node = new HubUnderTest();
    const [slow, quick] = [node.connect(), node.connect()];
    await node.subscribe(slow.session, P);
    await node.subscribe(quick.session, P);
    slow.connection.bufferedBytes = 995;
    node.deliver(P, 1, 2);
    expect(slow.connection.closed).toEqual({ code: CLOSE.slowConsumer, reason: 'slow consumer' });
    expect(slow.connection.sent).toEqual([]);
    expect(quick.connection.sent).toEqual(['1', '2']);
    expect(node.telemetry.facts).toEqual([
      { type: 'slow_consumer', sessionId: slow.session.id, queuedBytes: 995 },
    ]);
  });

  test('[MEM] are closed also for frames that are queued within one turn', async () => {
    const node = new HubUnderTest();
    const { session, connection } = node.connect();
    connection.reads = false;
    await node.subscribe(session, P);
    const offsets = Array.from({ length: 101 }, (_, index) => index + 1);
    node.deliver(P, ...offsets);
    expect(connection.closed?.code).toBe(CLOSE.slowConsumer);
    expect(connection.bufferedBytes).toBeLessThanOrEqual(1000);
  });
});
