import { setTimeout as delay } from 'node:timers/promises';
import { startRedisCluster, uniquePrefix } from '@leque/testkit';
import { describeOnRedisServers } from '@leque/testkit/contracts';
import { makeEvent } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { type RedisNode, startNode } from '../support/redis-node.ts';

const TIMEOUT = { timeout: 120_000 };
const PATIENCE = { timeout: 20_000 };
const PACE_MS = 10;
/** Events of each channel before anything moves: their keys are the last to arrive anywhere. */
const FIRST = 150;
/** Events of each channel at most; keys that come faster than they move would move for ever. */
const MOST = 400;
const CHANNELS = Array.from({ length: 3 }, (_, index) => `project:P${index}`);

const eventOf = (channel: string, n: number) =>
  makeEvent(channel, { n }, { idempotency_key: `${n}` });

/** Publishes further events, each until it is stored; resolves to the number of all. */
async function publishWhile(isGoing: () => boolean, node: RedisNode, channel: string) {
  let published = FIRST;
  for (let round = 0; isGoing(); round += 1) {
    if (published < MOST && !(await isRefused(node, eventOf(channel, published + 1))))
      published += 1;
    // Whether refused or not, a stored event must be remembered.
    await isRefused(node, eventOf(channel, 1 + (round % FIRST)));
    await delay(PACE_MS);
  }
  if (published === MOST) return MOST;
  // An event whose outcome is unknown may be stored already.
  while (await isRefused(node, eventOf(channel, published + 1))) await delay(PACE_MS);
  return published + 1;
}

async function isRefused({ broker }: RedisNode, event: ReturnType<typeof makeEvent>) {
  return broker.publish(event).then(
    () => false,
    ({ code }: { code: string }) => {
      expect(['unavailable', 'outcome_unknown']).toContain(code);
      return true;
    },
  );
}

describeOnRedisServers('resharding', () => {
  test(
    '[GAP] [DUP] [ACK] loses nothing and causes no resync while the slots are in use',
    TIMEOUT,
    async () => {
      await using redis = await startRedisCluster();
      const options = { url: redis.url, prefix: uniquePrefix() };
      await using gateway = await startNode(options);
      await using publisher = await startNode({ ...options, receives: false });
      for (const channel of CHANNELS) await gateway.broker.subscribe(channel);
      for (let n = 1; n <= FIRST; n += 1) {
        await Promise.all(CHANNELS.map((each) => publisher.broker.publish(eventOf(each, n))));
      }
      let going = true;
      const publishing = CHANNELS.map((channel) => publishWhile(() => going, publisher, channel));
      const masters = await redis.masters();
      for (let step = 0; step < 3 * CHANNELS.length; step += 1) {
        const channel = CHANNELS[step % CHANNELS.length];
        const from = await redis.masterOf(`${options.prefix}{${channel}}`);
        const to = masters[(masters.indexOf(from) + 1) % masters.length];
        if (to !== undefined) await redis.moveSlot(`${options.prefix}{${channel}}`, to);
      }
      going = false;
      const published = await Promise.all(publishing);
      for (const [index, channel] of CHANNELS.entries()) {
        const all = Array.from({ length: published[index] ?? 0 }, (_, n) => n + 1);
        await expect.poll(() => gateway.sink.numbers(channel), PATIENCE).toEqual(all);
        expect([channel, gateway.sink.resyncs(channel)]).toEqual([channel, []]);
      }
    },
  );
});
