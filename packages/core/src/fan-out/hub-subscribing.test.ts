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

  test('[GAP] [ORD] delivers nothing when it is started while its history is read', async () => {
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
    expect((await recovering).recovered).toBe(true);
    expect(connection.sent).toEqual([]);
    subscription.start();
    node.deliver(P, 5);
    expect(connection.sent).toEqual(['2', '3', '4', '5']);
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
