import { startFaultProxy, startRedis, type TestRedis, uniquePrefix } from '@leque/testkit';
import { describeOnOwnRedis } from '@leque/testkit/contracts';
import { expect, test } from 'vitest';
import { command } from '../support/foreign-service.ts';
import { startNode } from '../support/redis-node.ts';

const LEASE_MS = 1500;
const PATIENCE = { timeout: 10_000 };
/** The length of a lease, and the time in which other nodes notice its end. */
const WITHIN_A_LEASE = { timeout: LEASE_MS + 1000 };
const P = 'project:P';

/** Two nodes with connections of the same user; the far one can be cut off from Redis. */
async function startTogether() {
  const stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis({ own: true }));
  const proxy = stack.use(await startFaultProxy({ target: redis.url }));
  const common = { prefix: uniquePrefix(), leaseMs: LEASE_MS };
  const far = stack.use(await startNode({ url: proxy.through(redis.url), ...common }));
  const near = stack.use(await startNode({ url: redis.url, ...common }));
  for (const { state, join } of [far, near]) {
    await join();
    state.setConnections(2);
    state.setSubscribers(P, 2);
    state.setUserConnections('ana', 2);
  }
  await expect.poll(() => near.told.get('ana'), PATIENCE).toBe(4);
  await expect.poll(() => far.told.get('ana'), PATIENCE).toBe(4);
  await expect.poll(() => near.state.subscribers([P]), PATIENCE).toEqual([4]);
  return { redis, proxy, far, near, ...common, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describeOnOwnRedis('the counts of nodes', () => {
  test('[CNT] those of a crashed node end with its lease', async () => {
    await using all = await startTogether();
    const { proxy, near } = all;
    proxy.refuse();
    await expect.poll(() => near.state.subscribers([P]), WITHIN_A_LEASE).toEqual([2]);
    expect(await near.state.userConnections(['ana'])).toEqual([2]);
    await expect
      .poll(async () => (await near.state.stats()).active_connections, WITHIN_A_LEASE)
      .toBe(2);
    await expect.poll(() => near.told.get('ana'), WITHIN_A_LEASE).toBe(2);
  });

  test('[CNT] those of a node that crashed before Redis set its clock back end with a lease', async () => {
    await using all = await startTogether();
    const { redis, proxy, near, prefix } = all;
    proxy.refuse();
    const leases = `${prefix}{nodes}`;
    const ids = (await command(redis.url, 'ZRANGE', leases, '0', '-1')) as string[];
    // As the leases are when the clock was an hour ahead until now.
    for (const id of ids) await command(redis.url, 'ZINCRBY', leases, '3600000', id);
    await expect.poll(() => near.state.subscribers([P]), WITHIN_A_LEASE).toEqual([2]);
    expect((await near.state.stats()).active_connections).toBe(2);
  });

  test('[CNT] those of a node that was away come back with it, and the lapsed lease is reported', async () => {
    await using all = await startTogether();
    const { proxy, far, near } = all;
    proxy.stall();
    await expect.poll(() => near.state.subscribers([P]), WITHIN_A_LEASE).toEqual([2]);
    far.state.setUserConnections('ana', 3);
    proxy.resume();
    await expect.poll(() => near.state.subscribers([P]), PATIENCE).toEqual([4]);
    await expect.poll(() => near.told.get('ana'), PATIENCE).toBe(5);
    await expect.poll(() => far.told.get('ana'), PATIENCE).toBe(5);
    expect(far.telemetry.of('lease_lost').length).toBeGreaterThan(0);
    expect(near.telemetry.of('lease_lost')).toEqual([]);
  });

  test('[CNT] changes made while Redis is away are written when it is back', async () => {
    await using all = await startTogether();
    const { proxy, far, near } = all;
    proxy.refuse();
    far.state.setSubscribers(P, 0);
    far.state.setSubscribers('project:Q', 7);
    far.state.addTotals({ broadcasts: 3 });
    proxy.restore();
    await expect.poll(() => near.state.subscribers([P, 'project:Q']), PATIENCE).toEqual([2, 7]);
    await expect.poll(async () => (await near.state.stats()).total_broadcasts, PATIENCE).toBe(3);
  });

  test('[CNT] all are written again to a flushed Redis', async () => {
    await using all = await startTogether();
    const { redis, near } = all;
    await command(redis.url, 'FLUSHALL');
    await expect.poll(() => near.state.subscribers([P]), WITHIN_A_LEASE).toEqual([4]);
    await expect.poll(() => near.state.userConnections(['ana']), WITHIN_A_LEASE).toEqual([4]);
  });

  test('[CNT] all are right soon after Redis has come back empty', async () => {
    await using all = await startTogether();
    const { redis, far, near } = all;
    await redis.kill();
    await redis.restart();
    for (const { state } of [far, near]) {
      const subscribers = () => state.subscribers([P]).catch(() => undefined);
      await expect.poll(subscribers, PATIENCE).toEqual([4]);
    }
  });

  test('[CNT] no key of a node outlives it', async () => {
    await using redis: TestRedis = await startRedis({ own: true });
    const prefix = uniquePrefix();
    const node = await startNode({ url: redis.url, prefix, leaseMs: LEASE_MS });
    await node.join();
    node.state.setConnections(1);
    node.state.setUserConnections('ana', 1);
    for (const channel of [P, 'all', 'user:ana']) node.state.setSubscribers(channel, 1);
    const keys = async () => (await command(redis.url, 'KEYS', `${prefix}*`)) as string[];
    await expect.poll(async () => (await keys()).length, PATIENCE).toBe(5);
    for (const key of await keys()) {
      if (!key.endsWith('{nodes}'))
        expect(await command(redis.url, 'PTTL', key)).toBeGreaterThan(0);
    }
    await node[Symbol.asyncDispose]();
    expect(await keys()).toEqual([]);
  });

  test('[LIVE] closing takes little time although Redis is away', async () => {
    await using all = await startTogether();
    const { proxy, far } = all;
    proxy.stall();
    const start = performance.now();
    await far.state.close();
    await far.broker.close();
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
