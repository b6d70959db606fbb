import { Grants, Hub, systemClock } from '@leque/core';
import type { Position } from '@leque/protocol';
import { startFaultProxy, startRedis, uniquePrefix } from '@leque/testkit';
import { FakeConnection, makeEvent } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { openRedis } from '../../src/open-redis.ts';
import { HUB_OPTIONS } from '../support/hub-options.ts';
import { describeOnEveryRedis } from '../support/redis-modes.ts';
import { type RedisNodeOptions, settingsFor } from '../support/redis-node.ts';

const CHANNEL = 'project:P';
const PATIENCE = { timeout: 10_000 };
const identity = {
  userId: 'ana',
  grants: new Grants({ userId: 'ana', projects: ['P'], scopes: [] }),
  expiresAt: undefined,
};

/** A whole node except for its sockets. */
async function startHub({ url, prefix }: RedisNodeOptions) {
  const telemetry = { report: () => {} };
  const redis = openRedis(settingsFor(url, prefix), { nodeId: 'n', telemetry });
  const { broker, state } = redis;
  const hub = new Hub({ broker, state, telemetry, clock: systemClock }, HUB_OPTIONS);
  await broker.start(hub);
  return {
    broker,
    async connect(since?: Position) {
      const connection = new FakeConnection();
      const session = hub.open(connection, identity);
      const options = since === undefined ? {} : { since };
      const subscription = await hub.subscribe(session, CHANNEL, options);
      const { recovered } = subscription;
      subscription.start();
      return { connection, recovered, leave: () => hub.remove(session) };
    },
    async [Symbol.asyncDispose]() {
      hub.close();
      await state.close();
      await broker.close();
      await redis.close();
    },
  };
}

const offsets = (connection: FakeConnection) =>
  connection.positions.map((position) => position?.offset);

describeOnEveryRedis('the hub', (start) => {
  test('[GAP] [DUP] a client that changes between two nodes sees every publication once', async () => {
    await using redis = await start();
    const options = { url: redis.url, prefix: uniquePrefix() };
    await using one = await startHub(options);
    await using other = await startHub(options);
    let publishing = true;
    const publisher = (async () => {
      for (let n = 1; publishing; n += 1) await one.broker.publish(makeEvent(CHANNEL, { n }));
    })();
    const seen: (Position | undefined)[] = [];
    const texts: string[] = [];
    let since: Position | undefined;
    for (let visit = 0; visit < 12; visit += 1) {
      const { connection, recovered, leave } = await (visit % 2 ? one : other).connect(since);
      if (visit > 0) expect(recovered).toBe(true);
      await expect.poll(() => connection.sent.length, PATIENCE).toBeGreaterThan(5);
      leave();
      seen.push(...connection.positions);
      texts.push(...connection.sent);
      since = seen.at(-1);
    }
    publishing = false;
    await publisher;
    expect(texts).toEqual(seen.map((position) => String(position?.offset))); // no resync
    const first = seen[0]?.offset ?? 0;
    expect(seen.map((position) => position?.offset)).toEqual(seen.map((_, index) => first + index));
  });
});

test('[ORD] clients of a node that is repeatedly cut off see the same as others', async () => {
  await using redis = await startRedis();
  await using proxy = await startFaultProxy({ target: redis.url });
  const prefix = uniquePrefix();
  await using near = await startHub({ url: redis.url, prefix });
  await using far = await startHub({ url: proxy.through(redis.url), prefix });
  const clients = [await near.connect(), await far.connect(), await far.connect()];
  for (let n = 1; n <= 300; n += 1) {
    if (n % 60 === 0) proxy.cut();
    await near.broker.publish(makeEvent(CHANNEL, { n }));
  }
  const all = Array.from({ length: 300 }, (_, index) => index + 1);
  for (const { connection } of clients) {
    await expect.poll(() => offsets(connection), PATIENCE).toEqual(all);
  }
});
