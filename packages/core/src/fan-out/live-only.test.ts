import type { Position } from '@leque/protocol';
import { describe, expect, test } from 'vitest';
import { at, HubUnderTest, P } from '../../test/hub-under-test.ts';
import { identity, livePublication, publication } from '../../test/samples.ts';
import { Publication } from '../publication/publication.ts';

/** Half of the outbox; a client with more to read is too slow. */
const CONGESTED_BYTES = 501;
/** Time until slow clients are looked at again. */
const ROUND_MS = 50;

/** A publication that fills a batch, so that it does not wait for the end of the turn. */
const large = (offset: number) =>
  new Publication({
    channel: P,
    type: 'x',
    position: at(offset),
    json: `{"n":"${'1'.repeat(300)}"}`,
  });

/** A node, and a function that delivers offsets and, by their names, live-only publications. */
function startNode() {
  const node = new HubUnderTest();
  node.broker.position = at(5);
  const toPublication = (each: number | string): Publication =>
    typeof each === 'number' ? publication(P, each) : livePublication(P, each);
  const bring = (...publications: (number | string)[]) => {
    for (const each of publications) node.hub.deliver(toPublication(each));
  };
  const deliver = (...publications: (number | string)[]) => {
    bring(...publications);
    node.clock.endTurn();
  };
  const page = (...offsets: number[]) => ({
    position: at(offsets.at(-1) ?? 0),
    publications: offsets.map((offset) => publication(P, offset)),
    complete: true,
  });
  return { node, bring, deliver, page, ...node.connect() };
}

/** Subscribes with a cursor, and gives the history when the test resolves it. */
async function startResume({ node, session }: ReturnType<typeof startNode>, since: number) {
  const history = Promise.withResolvers<(typeof node.broker)['page'] & object>();
  node.broker.page = history.promise as never;
  const subscribing = node.hub.subscribe(session, P, { since: at(since) });
  await new Promise(setImmediate);
  return { history, subscribing };
}

describe('order', () => {
  test('[EV7.1] [ORD] live-only publications come between the others, also of the same turn', async () => {
    const { node, session, connection, deliver } = startNode();
    await node.subscribe(session, P);
    deliver('a', 6, 'b', 7);
    deliver('c');
    deliver(8, 'd');
    expect(connection.sent).toEqual(['a', '6', 'b', '7', 'c', '8', 'd']);
  });

  test('[EV7.7] [GAP] [ORD] a resume replays around what came live meanwhile, and is recovered', async () => {
    const started = startNode();
    const { node, connection, bring, deliver, page } = started;
    const { history, subscribing } = await startResume(started, 3);
    bring('a', 6, 'b', 7, 'c');
    node.clock.endTurn();
    history.resolve(page(4, 5, 6, 7) as never);
    const subscription = await subscribing;
    expect(subscription.recovered).toBe(true);
    subscription.start();
    deliver('d', 8);
    expect(connection.sent).toEqual(['4', '5', 'a', '6', 'b', '7', 'c', 'd', '8']);
  });

  describe.each([
    { what: 'that say their place', place: at(5) },
    { what: 'by plain PUBLISH', place: undefined },
  ])('of events $what', ({ place }) => {
    test('[EV7.1] [ORD] [RE3] live-only publications that come with the answer of the broker keep their places', async () => {
      const started = startNode();
      const { node, connection, bring, deliver, page } = started;
      const joining = Promise.withResolvers<Position | undefined>();
      node.broker.position = joining.promise;
      const { history, subscribing } = await startResume(started, 3);
      const first = livePublication(P, 'a');
      first.after = place;
      node.hub.deliver(first);
      node.hub.deliver(large(6));
      bring('b', 7);
      joining.resolve(at(5));
      await new Promise(setImmediate);
      node.clock.endTurn();
      history.resolve(page(4, 5, 6, 7, 8) as never);
      const subscription = await subscribing;
      node.hub.replays.start(started.session, [subscription]);
      deliver(8, 'c');
      expect(connection.sent).toEqual(['4', '5', 'a', '6', 'b', '7', '8', 'c']);
    });
  });

  test('[EV7.8] [DUP] [MEM] a node that is behind the client neither sends nor keeps what it has left behind', async () => {
    const started = startNode();
    const { session, connection, bring, node, deliver, page } = started;
    const { history, subscribing } = await startResume(started, 7);
    bring('old', 6, 'older', 7, 'new');
    node.clock.endTurn();
    history.resolve(page(8) as never);
    (await subscribing).start();
    deliver(8, 'newer', 9);
    expect(connection.sent).toEqual(['new', '8', 'newer', '9']);
    expect(session.heldBytes).toBe(0);
    const later = startNode();
    const flowing = await startResume(later, 7);
    flowing.history.resolve(later.page(8) as never);
    (await flowing.subscribing).start();
    later.deliver('old', 6);
    later.deliver('old', 7, 'new', 8);
    expect(later.connection.sent).toEqual(['8']);
  });
});

describe('recovery', () => {
  test('[EV7.1] [GAP] what was sent live does not keep a later cursor from being recovered', async () => {
    const { node, session, connection, deliver, page } = startNode();
    await node.subscribe(session, P);
    deliver('a');
    node.broker.page = page(4, 5);
    const again = await node.subscribe(session, P, { since: at(3) });
    expect(again.recovered).toBe(true);
    deliver(6);
    expect(connection.sent).toEqual(['a', '4', '5', '6']);
  });

  test('[EV7.7] [MEM] a flood of live-only publications neither ends a resume nor is kept', async () => {
    const started = startNode();
    const { node, session, connection, bring, deliver, page } = started;
    const { history, subscribing } = await startResume(started, 3);
    bring(...Array.from({ length: 500 }, (_, n) => `l${n}`));
    node.clock.endTurn();
    expect(session.heldBytes).toBeLessThan(200);
    bring(...Array.from({ length: 40 }, (_, n) => n + 6));
    node.clock.endTurn();
    history.resolve(page(4, 5) as never);
    const subscription = await subscribing;
    expect(subscription.recovered).toBe(true);
    subscription.start();
    deliver(46);
    const offsets = connection.sent.filter((text) => /^\d+$/.test(text)).map(Number);
    expect(offsets).toEqual(Array.from({ length: 43 }, (_, n) => n + 4));
    node.clock.advance(2 * ROUND_MS);
    const lives = connection.sent.filter((text) => text.startsWith('l')).length;
    expect(connection.sent.at(-1)).toBe(`dropped ${500 - lives}`);
    expect(node.hub.counters.liveDropped).toBe(500 - lives);
  });
});

describe('slow clients', () => {
  test('[EV7.5] [EV7.6] go without live-only publications, get all others, and are told the number', async () => {
    const { node, session, connection, deliver } = startNode();
    await node.subscribe(session, P);
    connection.bufferedBytes = CONGESTED_BYTES;
    deliver('a', 6, 'b');
    deliver('c');
    deliver(7);
    expect(connection.sent).toEqual(['6', '7']);
    node.clock.advance(2 * ROUND_MS);
    expect(connection.sent).toEqual(['6', '7']);
    connection.bufferedBytes = 0;
    node.clock.advance(ROUND_MS);
    deliver('d', 8);
    expect(connection.sent).toEqual(['6', '7', 'dropped 3', 'd', '8']);
    expect(node.hub.counters).toMatchObject({ liveDropped: 3, dropped: 0 });
    node.clock.advance(5 * ROUND_MS);
    expect(connection.sent.filter((text) => text.startsWith('dropped'))).toHaveLength(1);
  });

  test('[EV7.5] [MEM] live-only publications alone never close a client', async () => {
    const { node, session, connection, deliver } = startNode();
    await node.subscribe(session, P);
    connection.reads = false;
    for (let n = 0; n < 1000; n += 1) deliver(`l${n}`, `m${n}`);
    expect(session.open).toBe(true);
    expect(connection.bufferedBytes).toBeLessThan(600);
    deliver(...Array.from({ length: 40 }, (_, n) => n + 6));
    expect(session.open).toBe(true);
    deliver(...Array.from({ length: 40 }, (_, n) => n + 46));
    expect(session.open).toBe(false);
  });

  test('[EV7.5] a burst within one turn is no slow client', async () => {
    const { node, session, connection, deliver } = startNode();
    await node.subscribe(session, P);
    deliver(...Array.from({ length: 300 }, (_, n) => `l${n}`));
    expect(connection.sent).toHaveLength(300);
    expect(node.hub.counters.liveDropped).toBe(0);
  });

  test('[EV7.5] [LIVE] a client that leaves while it is slow leaves nothing behind', async () => {
    const { node, session, connection, deliver } = startNode();
    await node.subscribe(session, P);
    const { pending } = node.clock;
    connection.bufferedBytes = CONGESTED_BYTES;
    deliver('a');
    node.hub.unsubscribe(session, P);
    connection.bufferedBytes = 0;
    node.clock.advance(5 * ROUND_MS);
    expect(connection.sent).toEqual([]);
    await node.subscribe(session, P);
    connection.bufferedBytes = CONGESTED_BYTES;
    deliver('b');
    node.hub.remove(session);
    node.clock.advance(60 * ROUND_MS);
    expect(node.clock.pending).toBeLessThanOrEqual(pending);
  });

  test('[EV7.5] [RE2.2] a rule keeps stored publications before live-only ones, and reports no gap for these', async () => {
    const C = 'project:C'; // has a rule
    const node = new HubUnderTest();
    node.broker.position = at(0);
    const { session, connection } = node.connect(identity('alice', ['C']));
    await node.subscribe(session, C);
    connection.bufferedBytes = CONGESTED_BYTES;
    for (let n = 1; n <= 16; n += 1) {
      node.hub.deliver(livePublication(C, `l${n}`));
      node.hub.deliver(publication(C, n));
      node.clock.endTurn();
    }
    connection.bufferedBytes = 0;
    node.clock.advance(2 * ROUND_MS);
    const stored = Array.from({ length: 16 }, (_, n) => String(n + 1));
    expect(connection.sent).toEqual([...stored, 'dropped 16']);
    expect(node.hub.counters).toMatchObject({ liveDropped: 16, dropped: 0, conflated: 0 });
  });
});
