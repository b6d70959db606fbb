import { MemoryBroker, MemoryStore } from '@leque/broker-memory';
import type { HistoryPage } from '@leque/core';
import { ProtocolError, toCursor } from '@leque/protocol';
import { upTo } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { memoryLimits, startGateway, tokenFor } from './support/gateway.ts';
import { connect, cut, cutFor, publisher, subscribe } from './support/recovering-client.ts';

test.each(['websocket', 'polling'])(
  "[GAP] [DUP] [ORD] [IO8.7] the official client's own recovery delivers missed events over %s",
  async (transport) => {
    await using gateway = await startGateway();
    const publish = publisher(gateway);
    using client = await connect(gateway, { transports: [transport] });
    await publish.user();
    await expect.poll(() => client.seen).toEqual(['told 1']);
    await cut(client, async () => {
      await publish.user();
      await publish.user();
    });
    await publish.user();
    await expect.poll(() => client.seen).toEqual(['told 1', 'told 2', 'told 3', 'told 4']);
    expect(client.recoveries).toEqual([false, true]);
  },
);

test('[GAP] [DUP] [IO8] a client that has not received an event yet recovers too', async () => {
  await using gateway = await startGateway();
  const publish = publisher(gateway);
  using client = await connect(gateway);
  await cut(client, publish.user);
  await expect.poll(() => client.seen).toEqual(['told 1']);
  expect(client.recoveries).toEqual([false, true]);
});

test('[GAP] [DUP] [ORD] [IO8] several channels with missed events are all recovered, several times in a row', async () => {
  await using gateway = await startGateway();
  const publish = publisher(gateway);
  using client = await connect(gateway);
  await subscribe(client, 'P');
  await subscribe(client, 'Q');
  let published = 0;
  for (let round = 0; round < 3; round += 1) {
    for (const send of [() => publish.project('P'), publish.user, () => publish.project('Q')]) {
      await send();
      published += 1;
    }
    await expect.poll(() => client.seen).toHaveLength(published);
    await cut(client, async () => {
      for (const send of [publish.user, () => publish.project('Q'), publish.user]) {
        await send();
        published += 1;
      }
    });
    await expect.poll(() => client.seen).toHaveLength(published);
  }
  await publish.project('P');
  await expect.poll(() => client.seen.at(-1)).toBe(`moved ${published + 1}`);
  const numbers = client.seen.map((each) => Number(each.split(' ')[1]));
  expect(new Set(numbers).size).toBe(published + 1);
  expect(inOrder(client.seen)).toBe(true);
  expect(client.recoveries).toEqual([false, true, true, true]);
});

test('[GAP] [ISO] [IO8.9] a client whose fresh token lacks a project is not recovered, and is notified', async () => {
  await using gateway = await startGateway();
  const publish = publisher(gateway);
  using client = await connect(gateway);
  await subscribe(client, 'P');
  await publish.project('P');
  await expect.poll(() => client.seen).toEqual(['moved 1']);
  const token = await tokenFor('ana', { projects: ['Q'] });
  await cut(client, async () => {
    client.socket.auth = { token };
    await publish.project('P');
  });
  expect(client.recoveries).toEqual([false, false]);
  await publish.user();
  await expect.poll(() => client.seen).toEqual(['moved 1', 'told 3']);
});

test('[GAP] [DUP] [IO8] a node that cannot read the history closes the client, which keeps its state', async () => {
  const broker = new AwayBroker(new MemoryStore(memoryLimits()));
  await using gateway = await startGateway({}, { broker });
  const publish = publisher(gateway);
  using client = await connect(gateway);
  await publish.user();
  await expect.poll(() => client.seen).toEqual(['told 1']);
  broker.away = true;
  await cutFor(client, async () => {
    await publish.user();
    client.socket.io.reconnection(true);
    client.socket.connect();
    await expect.poll(() => broker.refused).toBeGreaterThan(1);
    expect(client.socket.connected).toBe(false);
    broker.away = false;
  });
  await expect.poll(() => client.recoveries).toEqual([false, true]);
  await expect.poll(() => client.seen).toEqual(['told 1', 'told 2']);
});

test('[GAP] [DUP] [IO5] [IO8.14] a recovered state takes precedence over `auth.cursors`, which resume the other channels', async () => {
  await using gateway = await startGateway();
  const publish = publisher(gateway);
  await publish.project('Q');
  const page = await gateway.broker.history('project:Q', undefined, upTo(1));
  const cursor = page.position && toCursor(page.position);
  const token = await tokenFor('ana', { projects: ['P', 'Q'] });
  using client = await connect(gateway);
  await subscribe(client, 'P');
  await publish.project('P');
  const old = (await gateway.broker.history('project:P', undefined, upTo(1))).position;
  await publish.project('P');
  await expect.poll(() => client.seen).toEqual(['moved 2', 'moved 3']);
  await cut(client, async () => {
    const cursors = { 'project:Q': cursor, 'project:P': old && toCursor(old) };
    client.socket.auth = { token, cursors };
    await publish.project('Q');
    await publish.project('P');
  });
  await expect
    .poll(() => client.seen.toSorted())
    .toEqual(['moved 2', 'moved 3', 'moved 4', 'moved 5']);
  expect(client.recoveries).toEqual([false, true]);
  await cut(client, () => publish.project('Q'));
  await expect.poll(() => client.seen.at(-1)).toBe('moved 6');
});

test('[DUP] [RE5] [IO8.14] a state that was fetched while the client was away is followed by what is newer', async () => {
  await using gateway = await startGateway();
  const publish = publisher(gateway);
  const token = await tokenFor('ana', { projects: ['P', 'Q'] });
  using client = await connect(gateway);
  await subscribe(client, 'P');
  await publish.project('P');
  await expect.poll(() => client.seen).toEqual(['moved 1']);
  await cut(client, async () => {
    await publish.user();
    await publish.project('P');
    const fetchedAt = (await gateway.broker.history('project:P', undefined, upTo(1))).position;
    client.socket.auth = { token, cursors: { 'project:P': fetchedAt && toCursor(fetchedAt) } };
    await publish.project('P');
  });
  await expect.poll(() => client.seen).toEqual(['moved 1', 'told 2', 'moved 4']);
  expect(client.recoveries).toEqual([false, true]);
  await cut(client, () => publish.project('P')); // the same cursor again, which is older now
  await expect.poll(() => client.seen).toEqual(['moved 1', 'told 2', 'moved 4', 'moved 5']);
});

/** A broker whose history reads fail as unavailable. */
class AwayBroker extends MemoryBroker {
  away = false;
  refused = 0;

  override async history(...asked: Parameters<MemoryBroker['history']>): Promise<HistoryPage> {
    if (!this.away) return super.history(...asked);
    this.refused += 1;
    throw new ProtocolError('unavailable', 'no answer in time');
  }
}

/** Whether the numbers of each event name increase. */
function inOrder(seen: readonly string[]): boolean {
  return ['told', 'moved'].every((name) => {
    const numbers = seen.filter((each) => each.startsWith(name)).map((each) => each.split(' ')[1]);
    return numbers.every((each, index) => index === 0 || Number(each) > Number(numbers[index - 1]));
  });
}
