import { startRedis, uniquePrefix } from '@leque/testkit';
import { makeEvent } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { command, foreignService, type Reply } from '../support/foreign-service.ts';
import { startNode } from '../support/redis-node.ts';

const P = 'project:P';

test('[MEM] Redis answers no more of a history than asked for, and reads hardly more', async () => {
  await using redis = await startRedis({ own: true });
  const prefix = uniquePrefix();
  await using node = await startNode({ url: redis.url, prefix });
  const { key } = foreignService(redis.url, prefix);
  const text = 'x'.repeat(10_000);
  const events = Array.from({ length: 100 }, (_, n) => makeEvent(P, { n, text }));
  const [first] = await Promise.all(events.map((event) => node.broker.publish(event)));
  const ask = async (mode: string, maxBytes: number) => {
    const args = [mode, first?.position?.epoch ?? '', '0', '1000', String(maxBytes)];
    await command(redis.url, 'CONFIG', 'RESETSTAT');
    const reply = await command(redis.url, 'FCALL', 'leque_history', '1', key(P), ...args);
    const [, , outcome, entries] = reply as [string, number, number, Reply[]];
    const stats = String(await command(redis.url, 'INFO', 'commandstats'));
    const reads = Number(/cmdstat_xrange:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    return { outcome, entries: entries.length, reads };
  };
  expect(await ask('all', 2_000_000)).toMatchObject({ outcome: 1, entries: 100 });
  expect(await ask('all', 0)).toEqual({ outcome: -1, entries: 0, reads: 1 });
  expect(await ask('all', 9_000)).toMatchObject({ outcome: -1, entries: 0 });
  expect((await ask('all', 900_000)).entries).toBe(0);
  expect(await ask('page', 9_000)).toMatchObject({ outcome: 1, entries: 1 });
  expect((await ask('page', 105_000)).entries).toBe(10);
  // Chunks of 64 would read most of the history.
  expect((await ask('page', 105_000)).reads).toBeLessThan(5);
});
