import type { Position } from '@leque/protocol';
import { describeOnOwnRedis } from '@leque/testkit/contracts';
import { makeEvent, upTo } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { command } from '../support/foreign-service.ts';
import type { RedisNode } from '../support/redis-node.ts';
import { startTogether } from '../support/together.ts';

const PATIENCE = { timeout: 10_000 };
const P = 'project:P';

const healthy = (node: RedisNode) =>
  expect.poll(() => node.broker.health(), PATIENCE).toEqual({ ok: true });

async function publish(node: RedisNode, numbers: number[]): Promise<void> {
  for (const n of numbers) await node.broker.publish(makeEvent(P, { n }));
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describeOnOwnRedis('a Redis that restarts', () => {
  test('[GAP] with all its data goes unnoticed, and cursors resume', async () => {
    await using all = await startTogether({ appendonly: true });
    const { redis, far, near } = all;
    await far.broker.subscribe(P);
    await publish(near, range(1, 3));
    const { position: cursor } = await near.broker.history(P, undefined, upTo(1));
    await redis.kill();
    await redis.restart();
    await healthy(near);
    await publish(near, range(4, 6));
    await expect.poll(() => far.sink.numbers(P), PATIENCE).toEqual(range(1, 6));
    expect(far.sink.resyncs(P)).toEqual([]);
    const page = await far.broker.history(P, cursor, upTo(100));
    expect(page.complete).toBe(true);
    expect(page.publications.map(({ position }) => position?.offset)).toEqual([4, 5, 6]);
  });

  test('[GAP] without its newest publications never passes others off as them', async () => {
    await using all = await startTogether();
    const { redis, far, near } = all;
    await far.broker.subscribe(P);
    await publish(near, range(1, 3));
    const kept = (await near.broker.history(P, undefined, upTo(1))).position;
    await command(redis.url, 'SAVE');
    await publish(near, range(4, 6));
    const lost = (await near.broker.history(P, undefined, upTo(1))).position;
    await expect.poll(() => far.sink.numbers(P)).toEqual(range(1, 6));
    await redis.kill();
    await redis.restart();
    // Another publisher is back before the node, and fills the offsets that the node has seen already.
    for (const n of [7, 8, 9, 10]) {
      await command(
        redis.url,
        'FCALL',
        'leque_publish',
        '1',
        `${all.prefix}{${P}}`,
        `{"type":"x","data":{"n":${n}}}`,
      );
    }
    for (const node of [far, near]) await healthy(node);
    await publish(near, range(11, 12));
    await expect.poll(() => far.sink.numbers(P).at(-1), PATIENCE).toBe(12);
    expect(far.sink.resyncs(P)).toHaveLength(1);
    const resyncedAt = far.sink.of(P).findIndex(({ kind }) => kind === 'resync');
    expect(resyncedAt).toBe(6);
    expect(await far.broker.history(P, lost, upTo(100))).toMatchObject({ complete: false });
    const resumed = await far.broker.history(P, kept, upTo(100));
    expect(resumed.complete).toBe(true);
    expect(resumed.publications.map(({ event }) => (event['data'] as { n: number }).n)).toEqual(
      range(7, 12),
    );
  });

  test('[GAP] several times without a loss lets cursors of every epoch resume', async () => {
    await using all = await startTogether({ appendonly: true });
    const { redis, near } = all;
    const cursors: (Position | undefined)[] = [];
    for (let n = 1; n <= 4; n += 1) {
      await near.broker.publish(makeEvent(P, { n }));
      cursors.push((await near.broker.history(P, undefined, upTo(1))).position);
      await redis.kill();
      await redis.restart();
      await healthy(near);
    }
    const after = await Promise.all(cursors.map((each) => near.broker.history(P, each, upTo(10))));
    expect(after.map(({ complete }) => complete)).toEqual([true, true, true, true]);
    expect(after.map(({ publications }) => publications.length)).toEqual([3, 2, 1, 0]);
  });

  test('[GAP] reports its new epoch although nothing is published after the restart', async () => {
    await using all = await startTogether({ appendonly: true });
    const { redis, near } = all;
    await near.broker.subscribe(P);
    await near.broker.publish(makeEvent(P));
    await expect.poll(() => near.sink.offsets(P)).toEqual([1]);
    await redis.kill();
    await redis.restart();
    await expect.poll(() => near.sink.epochChanges(P), PATIENCE).toHaveLength(1);
    const { position } = await near.broker.history(P, undefined, upTo(1));
    expect(near.sink.epochChanges(P)).toEqual([position]);
    expect(near.sink.resyncs(P)).toEqual([]);
  });

  test('[GAP] refuses a cursor beyond the known end of a former epoch', async () => {
    await using all = await startTogether({ appendonly: true });
    const { redis, near } = all;
    const first = await near.broker.publish(makeEvent(P));
    for (let n = 0; n < 2; n += 1) {
      await redis.kill();
      await redis.restart();
      await healthy(near);
      await near.broker.publish(makeEvent(P));
    }
    const { epoch = '', offset = 0 } = first.position ?? {};
    const complete = async (of: number) =>
      (await near.broker.history(P, { epoch, offset: of }, upTo(10))).complete;
    expect([await complete(offset), await complete(offset + 1)]).toEqual([true, false]);
  });
});
