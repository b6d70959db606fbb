import type { Position } from '@leque/protocol';
import {
  SERVER_PROGRAMS,
  startRedis,
  startRedisCluster,
  startSentinel,
  uniquePrefix,
} from '@leque/testkit';
import { describeOnOwnRedis, describeOnRedisServers } from '@leque/testkit/contracts';
import { makeEvent, upTo } from '@leque/testkit/fakes';
import calculateSlot from 'cluster-key-slot';
import { describe, expect, test } from 'vitest';
import { command } from '../support/foreign-service.ts';
import { type RedisNode, startNode } from '../support/redis-node.ts';
import { startTogether } from '../support/together.ts';

const PATIENCE = { timeout: 10_000 };
const P = 'project:P';
const OTHER = 'project:O';
/** The part of an epoch that names the day. */
const DAY = /n([0-9a-z]+)$/;

type All = Awaited<ReturnType<typeof startTogether>>;

async function publish({ broker }: RedisNode, numbers: number[]): Promise<void> {
  for (const n of numbers) await broker.publish(makeEvent(P, { n }));
}

async function healthy({ broker }: RedisNode): Promise<void> {
  await expect.poll(() => broker.health(), PATIENCE).toEqual({ ok: true });
}

/** The position as of `days` later. */
function shifted({ epoch, offset }: Position, days: number): Position {
  const shift = (day: string) => (Number.parseInt(day, 36) + days).toString(36);
  return { epoch: epoch.replace(DAY, (_, day: string) => `n${shift(day)}`), offset };
}

async function startOf({ broker }: RedisNode, channel = P): Promise<Position> {
  const start = await broker.subscribe(channel);
  if (start === undefined) throw new Error(`${channel} keeps no history`);
  return start;
}

async function restart({ redis, near, far }: All): Promise<void> {
  await redis.kill();
  await redis.restart();
  for (const node of [near, far]) await healthy(node);
}

interface Happening {
  readonly what: string;
  readonly happens: (all: All) => Promise<unknown>;
  /** Whether the cursor resumes. */
  readonly resumes: boolean;
}

const NOTHING: Happening = { what: 'nothing', happens: async () => {}, resumes: true };
const OTHER_BEGINS: Happening = {
  what: 'another channel begins',
  happens: ({ near }) => near.broker.publish(makeEvent(OTHER)),
  resumes: true,
};
const FUNCTIONS_LOST: Happening = {
  what: 'the functions are lost',
  happens: ({ redis }) => command(redis.url, 'FUNCTION', 'FLUSH'),
  resumes: true,
};
const REMOVED: Happening = {
  what: 'the data is removed',
  happens: ({ redis }) => command(redis.url, 'FLUSHALL'),
  resumes: false,
};
const BEGUN_AND_REMOVED: Happening = {
  what: 'its history begins, and the data is removed',
  happens: async ({ near, redis }) => {
    await near.broker.publish(makeEvent(P, { n: 0 }));
    await command(redis.url, 'FLUSHALL');
  },
  resumes: false,
};

interface Case extends Happening {
  readonly begun: 'in use' | 'new';
}

/** Cases for a Redis without a publication, whose data set has no id yet. */
const UNNAMED = [NOTHING, OTHER_BEGINS, FUNCTIONS_LOST, REMOVED, BEGUN_AND_REMOVED];
const NAMED: readonly Happening[] = [
  ...UNNAMED,
  { what: 'a restart with all data', happens: restart, resumes: true },
  {
    what: 'all keys are deleted one by one',
    happens: async ({ near, redis, prefix }) => {
      await near.broker.publish(makeEvent(P, { n: 0 }));
      const keys = (await command(redis.url, 'KEYS', `${prefix}*`)) as string[];
      await command(redis.url, 'DEL', ...keys);
    },
    resumes: false,
  },
  {
    what: 'its history begins, and only its meta is deleted',
    happens: async ({ redis, near, prefix }) => {
      await near.broker.publish(makeEvent(P, { n: 0 }));
      await command(redis.url, 'DEL', `${prefix}{${P}}:meta`);
    },
    resumes: false,
  },
];
const CASES: readonly Case[] = [
  ...NAMED.map((each) => ({ ...each, begun: 'in use' as const })),
  ...UNNAMED.map((each) => ({ ...each, begun: 'new' as const })),
];

async function expectRightOutcome(happening: Case, program?: string): Promise<void> {
  const { begun, happens, resumes } = happening;
  await using all = await startTogether({ appendonly: true, program });
  const { near, far } = all;
  if (begun === 'in use') await near.broker.publish(makeEvent('project:first'));
  const start = await startOf(far);
  await happens(all);
  const before = await near.broker.history(P, start, upTo(10));
  expect(before).toMatchObject({ complete: resumes, publications: [] });
  await publish(near, [1, 2]);
  const after = await near.broker.history(P, start, upTo(10));
  expect(after.complete).toBe(resumes);
  expect(after.publications).toHaveLength(resumes ? 2 : 0);
  await expect.poll(() => far.sink.numbers(P).at(-1), PATIENCE).toBe(2);
  expect(far.sink.resyncs(P)).toHaveLength(resumes ? 0 : 1);
}

describeOnOwnRedis('a channel that nobody has published to', () => {
  test('[POS.5] [DUP] has a cursor after which connected and returning clients get every publication once', async () => {
    await using all = await startTogether();
    const { far, near } = all;
    await near.broker.publish(makeEvent(OTHER));
    const start = await startOf(far);
    expect(await startOf(near)).toEqual(start);
    await publish(near, [1, 2, 3]);
    await expect.poll(() => far.sink.numbers(P)).toEqual([1, 2, 3]);
    expect(far.sink.resyncs(P)).toEqual([]);
    expect(far.telemetry.of('gap_filled')).toEqual([]);
    const page = await near.broker.history(P, start, upTo(10));
    expect(page.complete).toBe(true);
    expect(page.publications.map(({ position }) => position?.offset)).toEqual([1, 2, 3]);
  });

  test.for(CASES)(
    '[GAP] is resumed rightly in a Redis that is $begun, when between cursor and publication: $what',
    (happening) => expectRightOutcome(happening),
  );

  test('[GAP] is not resumed when Redis has evicted keys meanwhile', async () => {
    await using redis = await startRedis({ own: true });
    const evictAbove = (bytes: string) =>
      command(
        redis.url,
        ...['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-random', 'maxmemory'],
        bytes,
      );
    await evictAbove('100mb');
    await using node = await startNode({ url: redis.url, prefix: uniquePrefix() });
    const start = await startOf(node);
    const complete = async () => (await node.broker.pageAfter(P, start, upTo(10))).complete;
    expect(await complete()).toBe(true);
    await command(redis.url, 'SET', 'x', 'y');
    await evictAbove('1');
    await expect.poll(() => command(redis.url, 'DBSIZE'), PATIENCE).toBe(0);
    await evictAbove('100mb');
    expect(await complete()).toBe(false);
    await publish(node, [1]);
    expect(await complete()).toBe(false);
    await expect.poll(() => node.sink.resyncs(P), PATIENCE).toHaveLength(1);
    await expect.poll(() => node.sink.numbers(P), PATIENCE).toEqual([1]);
  });

  test('[POS.5] is not resumed from a cursor that is more than five days old, or from the future', async () => {
    await using all = await startTogether();
    const { near } = all;
    const start = await startOf(near);
    const complete = async (days: number) =>
      (await near.broker.history(P, shifted(start, days), upTo(10))).complete;
    const answers = async () => [await complete(-6), await complete(-5), await complete(1)];
    expect(await answers()).toEqual([false, true, false]);
    await publish(near, [1]);
    expect(await answers()).toEqual([false, true, false]);
  });

  test('[GAP] is resumed for a node that has received it for longer than its keys live', async () => {
    await using all = await startTogether();
    const { near } = all;
    const start = await startOf(near);
    const args = ['7', '999999'];
    const ask = (mode: string) =>
      command(
        all.redis.url,
        ...['FCALL', 'leque_history', '1', `${all.prefix}{${P}}`, mode],
        ...[shifted(start, -9).epoch, '0', ...args],
      );
    expect([await ask('rest'), await ask('page')]).toMatchObject([{ 2: 1 }, { 2: 0 }]);
    await publish(near, [1]);
    expect([await ask('rest'), await ask('page')]).toMatchObject([{ 2: 1 }, { 2: 0 }]);
  });

  test('[ISO] has a cursor that does not resume another channel', async () => {
    await using all = await startTogether();
    const { near } = all;
    const start = await startOf(near);
    expect(await near.broker.history(OTHER, start, upTo(10))).toMatchObject({ complete: false });
  });
});

for (const { name, path, isThere } of SERVER_PROGRAMS) {
  const reason = isThere ? '' : ' (it could not be downloaded)';
  describe.skipIf(!isThere)(`a channel of ${name} that nobody has published to${reason}`, () => {
    test.for(CASES)(
      '[GAP] is resumed rightly in a Redis that is $begun, when between cursor and publication: $what',
      (happening) => expectRightOutcome(happening, path),
    );
  });
}

describeOnRedisServers('a channel behind Sentinel that nobody has published to', () => {
  test.for(['in use', 'new'] as const)(
    '[GAP] is the same after a failover, without a resync, in a Redis that is %s',
    { timeout: 60_000 },
    async (begun) => {
      await using group = await startSentinel();
      await group.settled();
      await using node = await startNode({ url: group.url, prefix: uniquePrefix() });
      if (begun === 'in use') await node.broker.publish(makeEvent(OTHER));
      const start = await startOf(node);
      await group.failover();
      await healthy(node);
      await publish(node, [1, 2]);
      await expect.poll(() => node.sink.numbers(P), PATIENCE).toEqual([1, 2]);
      expect(node.sink.resyncs(P)).toEqual([]);
      const page = await node.broker.history(P, start, upTo(10));
      expect(page.complete).toBe(begun === 'in use');
    },
  );
});

describeOnRedisServers('a channel of a Redis Cluster that nobody has published to', () => {
  test('[GAP] has a cursor that resumes, and each slot has one key with the id of its data', async () => {
    await using cluster = await startRedisCluster();
    const prefix = uniquePrefix();
    await using node = await startNode({ url: cluster.url, prefix });
    const names = Array.from({ length: 60 }, (_, n) => `project:${'ab:c'.repeat(n % 7)}${n}`);
    const starts = await Promise.all(names.map((name) => startOf(node, name)));
    await Promise.all(names.map((name) => node.broker.publish(makeEvent(name, { n: 1 }))));
    for (const [index, name] of names.entries()) {
      await expect.poll(() => node.sink.numbers(name), PATIENCE).toEqual([1]);
      expect(node.sink.resyncs(name)).toEqual([]);
      const page = await node.broker.history(name, starts[index], upTo(10));
      expect(page).toMatchObject({ complete: true, publications: { length: 1 } });
    }
    const keys: string[] = [];
    for (const { url } of await cluster.masters()) {
      keys.push(...((await command(url, 'KEYS', `${prefix}*`)) as string[]));
    }
    const slotsOf = (suffix: string) =>
      keys.filter((key) => key.endsWith(suffix)).map((key) => calculateSlot(key));
    const named = slotsOf(':data-set');
    const slots = new Set(slotsOf(':meta'));
    expect(new Set(named)).toEqual(slots);
    expect(named).toHaveLength(slots.size);
  });
});
