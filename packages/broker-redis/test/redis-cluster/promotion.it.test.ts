import { startRedisCluster, uniquePrefix } from '@leque/testkit';
import { describeOnRedisServers } from '@leque/testkit/contracts';
import { makeEvent, upTo } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { command } from '../support/foreign-service.ts';
import { type RedisNode, startNode } from '../support/redis-node.ts';

const TIMEOUT = { timeout: 60_000 };
const PATIENCE = { timeout: 20_000 };
const P = 'project:P';

async function publish({ broker }: RedisNode, n: number): Promise<void> {
  const event = makeEvent(P, { n }, { idempotency_key: `${n}` });
  await expect.poll(() => broker.publish(event).then(() => true, String), PATIENCE).toBe(true);
}

describeOnRedisServers(
  'a replica of a Redis Cluster that is promoted without the newest publications',
  () => {
    test(
      '[GAP] [DUP] causes a resync, resumes clients that have seen no more, and passes nothing off as them',
      TIMEOUT,
      async () => {
        await using redis = await startRedisCluster();
        const options = { url: redis.url, prefix: uniquePrefix() };
        await using one = await startNode(options);
        await using other = await startNode(options);
        for (const { broker } of [one, other]) await broker.subscribe(P);
        await publish(one, 1);
        await redis.settled();
        const key = `${options.prefix}{${P}}`;
        const [old, replica] = [await redis.masterOf(key), await redis.replicaOf(key)];
        const kept = (await one.broker.history(P, undefined, upTo(1))).position;
        await expect.poll(() => holdsLog(replica.url, key)).toBe(true);
        await replica.pause();
        await command(old.url, 'CLIENT', 'KILL', 'TYPE', 'replica');
        for (const n of [2, 3]) await publish(one, n);
        await expect.poll(() => other.sink.numbers(P)).toEqual([1, 2, 3]);
        const lost = (await one.broker.history(P, undefined, upTo(1))).position;
        await old.kill();
        await replica.resume();
        await publish(one, 4);
        for (const { sink } of [one, other]) {
          await expect.poll(() => sink.resyncs(P).length, PATIENCE).toBe(1);
        }
        await publish(one, 5);
        for (const { sink } of [one, other]) {
          await expect.poll(() => sink.numbers(P).at(-1), PATIENCE).toBe(5);
          expect(sink.of(P).findIndex(({ kind }) => kind === 'resync')).toBe(3);
          // A node that notices the failover only after 4 is stored reads it with the rest.
          expect([
            [1, 2, 3, 4, 5],
            [1, 2, 3, 5],
          ]).toContainEqual(sink.numbers(P));
        }
        const after = (position: typeof kept) => other.broker.history(P, position, upTo(10));
        const page = await after(kept);
        expect(page.complete).toBe(true);
        expect(page.publications.map(({ event }) => event['data'])).toEqual([{ n: 4 }, { n: 5 }]);
        expect(await after(lost)).toMatchObject({ complete: false });
      },
    );
  },
);

/** Whether a replica has the log of the channel already. */
async function holdsLog(url: string, key: string): Promise<boolean> {
  const { port } = new URL(url);
  const keys = await command(`redis://127.0.0.1:${port}`, 'KEYS', `${key}:log`);
  return Array.isArray(keys) && keys.length === 1;
}
