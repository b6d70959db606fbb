import { Grants, Hub, systemClock } from '@leque/core';
import type { Position } from '@leque/protocol';
import { startRedis, type TestRedis, uniquePrefix } from '@leque/testkit';
import { FakeConnection, makeEvent } from '@leque/testkit/fakes';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { openRedis } from '../../src/open-redis.ts';
import { HUB_OPTIONS } from '../support/hub-options.ts';
import { settingsFor } from '../support/redis-node.ts';

const CLIENTS = 400;
const PUBLISHED = 100;

/** A node without its sockets, and the number of calls that its Redis has received. */
async function startNode(redis: TestRedis) {
  await using stack = new AsyncDisposableStack();
  const telemetry = { report: () => {} };
  const drivers = openRedis(settingsFor(redis.url, uniquePrefix()), { nodeId: 'n', telemetry });
  const { broker, state } = drivers;
  const hub = new Hub({ broker, state, telemetry, clock: systemClock }, HUB_OPTIONS);
  await broker.start(hub);
  const admin = stack.adopt(new Redis(redis.url), (client) => client.disconnect());
  stack.defer(async () => {
    hub.close();
    await state.close();
    await broker.close();
    await drivers.close();
  });
  const owner = stack.move();
  return {
    broker,
    /** Counts calls of functions: reads of positions and histories, and a few checks. */
    async calls(): Promise<number> {
      const stats = await admin.info('commandstats');
      return Number(/cmdstat_fcall(?:_ro)?:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    },
    /** A client that comes back with its cursor. */
    async resume(channel: string, since: Position): Promise<(number | undefined)[]> {
      const userId = channel.startsWith('user:') ? channel.slice(5) : 'ana';
      const grants = new Grants({ userId, projects: ['P'], scopes: [] });
      const connection = new FakeConnection();
      const session = hub.open(connection, { userId, grants, expiresAt: undefined });
      const subscription = await hub.subscribe(session, channel, { since });
      expect(subscription.recovered).toBe(true);
      subscription.start();
      session.flush();
      return connection.positions.map((position) => position?.offset);
    },
    [Symbol.asyncDispose]: () => owner.disposeAsync(),
  };
}

const pause = (ms: number) => new Promise<void>((resolve) => void systemClock.after(ms, resolve));
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('hundreds of clients that come back', () => {
  test('[LIVE] to one channel, a few at a time, share reads although their cursors differ', async () => {
    await using redis = await startRedis({ own: true });
    await using node = await startNode(redis);
    const events = range(1, PUBLISHED).map((n) => makeEvent('project:P', { n }));
    const [first] = await Promise.all(events.map((event) => node.broker.publish(event)));
    const epoch = first?.position?.epoch ?? '';
    const before = await node.calls();
    const coming: Promise<void>[] = [];
    for (let n = 0; n < CLIENTS; n += 1) {
      const offset = (n * 37) % PUBLISHED;
      const check = async () => {
        const seen = await node.resume('project:P', { epoch, offset });
        expect(seen).toEqual(range(offset + 1, PUBLISHED));
      };
      coming.push(check());
      // The pace at which admission lets clients in.
      if (n % 5 === 4) await pause(5);
    }
    await Promise.all(coming);
    expect((await node.calls()) - before).toBeLessThan(CLIENTS / 10);
  });

  test('[GAP] [DUP] while events are published get each once, with no more reads than publications', async () => {
    await using redis = await startRedis({ own: true });
    await using node = await startNode(redis);
    const [start] = await Promise.all(
      range(1, 10).map((n) => node.broker.publish(makeEvent('project:P', { n }))),
    );
    const epoch = start?.position?.epoch ?? '';
    const before = await node.calls();
    const coming: Promise<number[]>[] = [];
    let published = 10;
    for (let n = 0; n < CLIENTS; n += 1) {
      coming.push(
        node
          .resume('project:P', { epoch, offset: 5 })
          .then((seen) => seen.map((each) => each ?? 0)),
      );
      if (n % 40 === 39) {
        published += 1;
        await node.broker.publish(makeEvent('project:P', { n: published }));
      }
      if (n % 5 === 4) await pause(5);
    }
    for (const seen of await Promise.all(coming)) {
      expect(seen.length).toBeGreaterThanOrEqual(5);
      expect(seen).toEqual(range(6, 5 + seen.length));
    }
    expect((await node.calls()) - before).toBeLessThan(CLIENTS / 5);
  });

  test('[LIVE] to a channel each take two reads each, and every one is answered', async () => {
    await using redis = await startRedis({ own: true });
    await using node = await startNode(redis);
    const users = range(1, CLIENTS).map((n) => `user:U${n}`);
    const published = await Promise.all(
      users.map((channel) => node.broker.publish(makeEvent(channel))),
    );
    const before = await node.calls();
    const seen = await Promise.all(
      users.map((channel, n) =>
        node.resume(channel, { epoch: published[n]?.position?.epoch ?? '', offset: 0 }),
      ),
    );
    expect(seen).toEqual(users.map(() => [1]));
    expect((await node.calls()) - before).toBeLessThan(2.2 * CLIENTS);
  });
});
