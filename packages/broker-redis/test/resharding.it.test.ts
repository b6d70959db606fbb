import { setTimeout as delay } from 'node:timers/promises';
import { describeOnRedisServers, makeEvent, startRedisCluster, uniquePrefix } from '@leque/testkit';
import { expect, test } from 'vitest';
import { type RedisNode, startNode } from './support/redis-node.ts';

const TIMEOUT = { timeout: 120_000 };
const PATIENCE = { timeout: 20_000 };
const PACE_MS = 10;
const CHANNELS = Array.from({ length: 4 }, (_, index) => `project:P${index}`);

/** Publishes 1, 2, 3, … to a channel, each until it is stored; answers the last one. */
async function publishWhile(isGoing: () => boolean, node: RedisNode, channel: string) {
  const published: ReturnType<typeof makeEvent>[] = [];
  while (isGoing()) {
    const n = published.length + 1;
    const event = makeEvent(channel, { n }, { idempotency_key: `${n}` });
    while (await isRefused(node, event)) await delay(PACE_MS);
    published.push(event);
    // Refused or not: what is stored must be remembered.
    await isRefused(node, published[Math.floor(n / 3)] ?? event);
    await delay(PACE_MS);
  }
  return published.length;
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
    '[GAP] [DUP] [ACK] slots that move while they are in use lose nothing, and nobody is told',
    TIMEOUT,
    async () => {
      await using redis = await startRedisCluster();
      const options = { url: redis.url, prefix: uniquePrefix() };
      await using gateway = await startNode(options);
      await using publisher = await startNode({ ...options, receives: false });
      for (const channel of CHANNELS) await gateway.broker.subscribe(channel);
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
