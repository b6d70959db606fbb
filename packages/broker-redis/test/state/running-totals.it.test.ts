import { startRedis, uniquePrefix } from '@leque/testkit';
import { describeOnOwnRedis } from '@leque/testkit/contracts';
import { FakeClock, RecordingTelemetry } from '@leque/testkit/fakes';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { RunningTotals } from '../../src/state/running-totals.ts';
import { command } from '../support/foreign-service.ts';
import { startNode } from '../support/redis-node.ts';

const PATIENCE = { timeout: 5000 };

describeOnOwnRedis('RunningTotals', () => {
  test('[CNT] adds nothing again that may have been added', async () => {
    await using redis = await startRedis({ own: true });
    await using node = await startNode({ url: redis.url, prefix: uniquePrefix() });
    const broadcasts = async () => (await node.state.stats()).total_broadcasts;
    await command(redis.url, 'CLIENT', 'PAUSE', '1500', 'WRITE');
    node.state.addTotals({ broadcasts: 3 });
    await expect.poll(broadcasts, PATIENCE).toBe(3);
    node.state.addTotals({ connections: 1 });
    const connections = async () => (await node.state.stats()).total_connections;
    await expect.poll(connections, PATIENCE).toBe(1);
    expect(await broadcasts()).toBe(3);
  });

  test('[CNT] adds later what Redis has refused, and everything else once', async () => {
    await using redis = await startRedis({ own: true });
    const prefix = uniquePrefix();
    await using node = await startNode({ url: redis.url, prefix });
    const stored = (name: string) => command(redis.url, 'HGET', `${prefix}{totals}`, name);
    await command(redis.url, 'HSET', `${prefix}{totals}`, 'broadcasts', 'no number');
    node.state.addTotals({ connections: 1, broadcasts: 2 });
    const refusals = () => node.telemetry.of('failure').length;
    await expect.poll(refusals, PATIENCE).toBeGreaterThan(2);
    await command(redis.url, 'HSET', `${prefix}{totals}`, 'broadcasts', '5');
    await expect.poll(() => stored('broadcasts'), PATIENCE).toBe('7');
    expect(await stored('connections')).toBe('1');
  });
});

test('[LIVE] closed RunningTotals do nothing more, whatever the outcome of the last write', async () => {
  const redis = new Redis({ lazyConnect: true, enableOfflineQueue: false });
  const link = { run: <T>(_key: string, command: (redis: Redis) => Promise<T>) => command(redis) };
  const clock = new FakeClock();
  const ports = { telemetry: new RecordingTelemetry(), clock };
  for (const last of [0, 1]) {
    const totals = new RunningTotals(link, 'totals', ports);
    totals.add({ broadcasts: last });
    await totals.close();
    totals.add({ broadcasts: 1 });
    expect(clock.pending).toBe(0);
  }
  redis.disconnect();
});
