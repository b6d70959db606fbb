import { startRedisCluster, type TestRedisCluster, uniquePrefix } from '@leque/testkit';
import { makeEvent } from '@leque/testkit/fakes';
import { expect } from 'vitest';
import { type RedisNode, startNode } from './redis-node.ts';

export const PATIENCE = { timeout: 20_000 };
/** The time that HON allows. */
export const SOON = { timeout: 5000 };
export const TIMEOUT = 90_000;
/** Enough channels for every master to have some. */
export const CHANNELS = Array.from({ length: 8 }, (_, n) => `project:P-${n}`);

export const health = (node: RedisNode) => () => node.broker.health();
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** Two nodes that publish and receive. */
export async function startNodes() {
  const stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedisCluster());
  const prefix = uniquePrefix();
  const start = async () => stack.use(await startNode({ url: redis.url, prefix }));
  const nodes = [await start(), await start()] as const;
  for (const node of nodes) {
    for (const channel of [...CHANNELS, 'firehose']) await node.broker.subscribe(channel);
    await expect.poll(health(node), SOON).toEqual({ ok: true });
  }
  const key = (channel: string) => `${prefix}{${channel}}`;
  return { redis, nodes, prefix, key, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

export function publish(node: RedisNode, channel: string, n: number) {
  return node.broker.publish(makeEvent(channel, { n }, { idempotency_key: String(n) }));
}

export async function publishUntilStored(
  node: RedisNode,
  channel: string,
  n: number,
): Promise<void> {
  await expect.poll(() => publish(node, channel, n).then(() => true, String), PATIENCE).toBe(true);
}

export async function publishToAll(node: RedisNode, n: number): Promise<void> {
  await Promise.all(CHANNELS.map((channel) => publishUntilStored(node, channel, n)));
}

/** Publishes 1, 2, 3, … to each channel, one after the other, until `stop` is called. */
export function publishSteadily(node: RedisNode) {
  let going = true;
  const publishing = CHANNELS.map(async (channel) => {
    let n = 0;
    while (going) {
      n += 1;
      await publishUntilStored(node, channel, n);
    }
    return n;
  });
  return {
    async stop(): Promise<number[]> {
      going = false;
      return await Promise.all(publishing);
    },
  };
}

export async function expectEverything(nodes: readonly RedisNode[], last: readonly number[]) {
  for (const { sink } of nodes) {
    for (const [index, channel] of CHANNELS.entries()) {
      const expected = range(1, last[index] ?? 0);
      await expect.poll(() => sink.numbers(channel).at(-1), PATIENCE).toBe(last[index]);
      expect(sink.numbers(channel)).toEqual(expected);
      expect(sink.resyncs(channel)).toEqual([]);
    }
  }
}

export async function otherMaster(redis: TestRedisCluster, key: string) {
  const master = await redis.masterOf(key);
  const other = (await redis.masters()).find((each) => each !== master);
  if (other === undefined) throw new Error('there is only one master');
  return other;
}
