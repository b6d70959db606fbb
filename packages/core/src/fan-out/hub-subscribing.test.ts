import { CLOSE, type Position } from '@leque/protocol';
import { describe, expect, test } from 'vitest';
import { at, HubUnderTest, P } from '../../test/hub-under-test.ts';
import { identity, publication } from '../../test/samples.ts';
import { ALL_PROJECTS, Grants } from '../access/grants.ts';
import type { HistoryPage } from '../ports/broker.ts';
import { Publication } from '../publication/publication.ts';

const everyProject = new Grants({ userId: 'alice', projects: [ALL_PROJECTS], scopes: [] });
const liveOnly = (channel: string) =>
  new Publication({ channel, type: 'x', position: undefined, json: '{"n":0}' });

describe('subscribing', () => {
  test('[GAP] holds publications that arrive while the broker subscribes, until the start', async () => {
    const node = new HubUnderTest();
    const { session, connection } = node.connect();
    const answer = Promise.withResolvers<Position>();
    node.broker.position = answer.promise;
    const subscribing = node.hub.subscribe(session, P);
    node.hub.deliver(publication(P, 5));
    answer.resolve(at(4));
    const subscription = await subscribing;
    node.deliver(P, 6);
    expect(subscription.position).toEqual(at(4));
    expect(connection.sent).toEqual([]);
    subscription.start();
    node.clock.endTurn();
    expect(connection.sent).toEqual(['5', '6']);
  });

  test("[GAP] starts at the channel's position when the broker has not answered yet", async () => {
    const node = new HubUnderTest();
    const [early, late] = [node.connect(), node.connect()];
    const answer = Promise.withResolvers<Position>();
    node.broker.position = answer.promise;
    const subscribingEarly = node.hub.subscribe(early.session, P);
    node.deliver(P, 5);
    const subscribingLate = node.hub.subscribe(late.session, P);
    answer.resolve(at(4));
    expect((await subscribingEarly).position).toEqual(at(4));
    expect((await subscribingLate).position).toEqual(at(5));
  });

  test('starts after the delivered publications of a running channel', async () => {
    const node = new HubUnderTest();
    const [first, second] = [node.connect(), node.connect()];
    node.broker.position = at(4);
    await node.subscribe(first.session, P);
    node.deliver(P, 5, 6);
    expect((await node.hub.subscribe(second.session, P)).position).toEqual(at(6));
    expect(node.broker.subscribed).toEqual(new Set([P]));
  });

  test('[MEM] does not hold publications without a bound when it is never started', async () => {
    const node = new HubUnderTest();
    const { session, connection } = node.connect();
    await node.hub.subscribe(session, P);
    connection.reads = false;
    for (let offset = 1; offset <= 10_001; offset += 1) node.hub.deliver(publication(P, offset));
    expect(connection.closed?.code).toBe(CLOSE.slowConsumer);
  });

  test('[MEM] holds publications of all channels of a session within one bound', async () => {
    const node = new HubUnderTest();
    const who = { ...identity('alice'), grants: everyProject };
    const { session, connection } = node.connect(who);
    const channels = ['1', '2', '3', '4', '5'].map((id) => `project:${id}`);
    const subscriptions = [];
    for (const each of channels) subscriptions.push(await node.hub.subscribe(session, each));
    for (let offset = 1; offset <= 20; offset += 1) {
      for (const each of channels) node.hub.deliver(publication(each, offset));
      node.clock.endTurn();
      expect(session.heldBytes).toBeLessThanOrEqual(1_000);
    }
    for (const each of subscriptions) each.start();
    node.clock.endTurn();
    expect(session.heldBytes).toBe(0);
    expect(connection.closed).toBeUndefined();
    expect(connection.sent).toHaveLength(100);
  });

  test('[MEM] counts held publications like queued ones', async () => {
    const node = new HubUnderTest();
    const { session, connection } = node.connect();
    await node.hub.subscribe(session, P);
    connection.bufferedBytes = 600;
    node.deliver(P, 1, 2, 3, 4, 5, 6);
    expect(session.heldBytes).toBe(60);
    node.deliver(P, 7);
    expect(session.heldBytes).toBe(0);
    expect(connection.sent).toEqual(['1', '2', '3', '4', '5', '6', '7']);
  });

  test('[MEM] is limited to the configured number of channels', async () => {
    const node = new HubUnderTest();
    const who = { ...identity('alice'), grants: everyProject };
    const { session } = node.connect(who);
    for (const id of ['1', '2', '3', '4', '5']) await node.subscribe(session, `project:${id}`);
    await node.subscribe(session, 'project:1');
    await expect(node.hub.subscribe(session, 'project:6')).rejects.toMatchObject({
      code: 'too_many_subscriptions',
    });
    node.hub.unsubscribe(session, 'project:1');
    await node.subscribe(session, 'project:6');
  });

  test('[GAP] starts at the last stored publication, not at a later live-only one', async () => {
    const node = new HubUnderTest();
    const [first, second] = [node.connect(), node.connect()];
    node.broker.position = at(4);
    await node.subscribe(first.session, P);
    node.hub.deliver(liveOnly(P));
    expect((await node.hub.subscribe(second.session, P)).position).toEqual(at(4));
  });

  test('[ORD] [DUP] delivers no older publications when it is started while its history is read', async () => {
    const node = new HubUnderTest();
    const { session, connection } = node.connect();
    node.broker.position = at(3);
    const subscription = await node.hub.subscribe(session, P);
    const answer = Promise.withResolvers<HistoryPage>();
    node.broker.page = answer.promise;
    const recovering = node.hub.subscribe(session, P, { since: at(1) });
    await Promise.resolve();
    subscription.start();
    node.deliver(P, 4);
    const publications = [publication(P, 2), publication(P, 3)];
    answer.resolve({ position: at(3), publications, complete: true });
    expect((await recovering).recovered).toBe(false);
    node.deliver(P, 5);
    expect(connection.sent).toEqual(['4', '5']);
  });

  test('[CNT] leaves nothing behind when it fails', async () => {
    const node = new HubUnderTest();
    const [one, two] = [node.connect(), node.connect()];
    node.broker.position = Promise.reject(new Error('Redis is away'));
    const outcomes = await Promise.allSettled([
      node.hub.subscribe(one.session, P),
      node.hub.subscribe(two.session, P),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(node.hub.channelCount).toBe(0);
    expect(one.session.subscriptions.size).toBe(0);
    expect(node.state.channels.get(P)).toBe(0);
    node.broker.position = at(4);
    await node.subscribe(one.session, P);
    expect(node.state.channels.get(P)).toBe(1);
  });
});

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

  test('[RE1] reads nothing when everything after the cursor was delivered', async () => {
    const node = new HubUnderTest();
    const { session, connection } = node.connect();
    node.broker.position = at(5);
    await node.subscribe(session, P);
    node.deliver(P, 6);
    node.broker.page = { position: at(6), publications: [], complete: false };
    expect((await node.subscribe(session, P, { since: at(5) })).recovered).toBe(true);
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

  test('keeps an existing subscription when its history cannot be read', async () => {
    const node = new HubUnderTest();
    const { session, connection } = node.connect();
    await node.subscribe(session, P);
    const failing = Promise.reject(new Error('Redis is away'));
    failing.catch(() => {});
    node.broker.page = failing;
    await expect(node.hub.subscribe(session, P, { since: at(3) })).rejects.toThrow('away');
    node.deliver(P, 1);
    expect(connection.sent).toEqual(['1']);
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
    expect(connection.sent).toEqual(['resync 0', '1']);
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

  test('[MEM] is refused as a whole when its frames do not fit the outbox', async () => {
    const node = new HubUnderTest();
    const { session, connection } = node.connect();
    node.broker.position = at(90);
    const offsets = Array.from({ length: 90 }, (_, index) => index + 1);
    node.broker.page = page(...offsets);
    const subscription = await node.subscribe(session, P, { since: at(0) });
    node.deliver(P, 91);
    expect(subscription.recovered).toBe(false);
    expect(connection.closed).toBeUndefined();
    expect(connection.sent).toEqual(['91']);
  });
});
