import { ProtocolError } from '@leque/protocol';
import { startRedis, type TestRedis, uniquePrefix } from '@leque/testkit';
import { describeOnOwnRedis } from '@leque/testkit/contracts';
import { makeEvent, upTo } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { command } from '../support/foreign-service.ts';
import { type RedisNode, startNode } from '../support/redis-node.ts';
import { startTogether } from '../support/together.ts';

const PATIENCE = { timeout: 10_000 };
const P = 'project:P';

async function publish(node: RedisNode, numbers: number[], channel = P): Promise<void> {
  for (const n of numbers) await node.broker.publish(makeEvent(channel, { n }));
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

const healthy = (node: RedisNode) =>
  expect.poll(() => node.broker.health(), PATIENCE).toEqual({ ok: true });

async function failure(
  promise: Promise<unknown>,
): Promise<{ code: unknown; ms: number; message: string }> {
  const start = performance.now();
  const error = await promise.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  const ms = performance.now() - start;
  const code = error instanceof ProtocolError ? error.code : undefined;
  return { code, ms, message: String(error) };
}

describeOnOwnRedis('an outage of Redis', () => {
  test('[GAP] delays publications, which arrive in order when the node is back', async () => {
    await using all = await startTogether();
    const { proxy, far, near } = all;
    await far.broker.subscribe(P);
    await publish(near, range(1, 10));
    await expect.poll(() => far.sink.numbers(P)).toEqual(range(1, 10));
    proxy.refuse();
    await publish(near, range(11, 300));
    proxy.restore();
    await publish(near, range(301, 400));
    await expect.poll(() => far.sink.numbers(P), PATIENCE).toEqual(range(1, 400));
    expect(far.sink.resyncs(P)).toEqual([]);
    expect(far.telemetry.of('gap_filled').length).toBeGreaterThan(0);
    expect(far.telemetry.of('broker_disconnected').length).toBeGreaterThan(0);
  });

  test('[GAP] [LIVE] leaves a gap of megabytes, which is filled page by page but not replayed to a client', async () => {
    await using all = await startTogether();
    const { proxy, far, near } = all;
    const start = await far.broker.subscribe(P);
    proxy.refuse();
    const text = 'x'.repeat(50_000);
    for (const n of range(1, 60)) await near.broker.publish(makeEvent(P, { n, text }));
    proxy.restore();
    await expect.poll(() => far.sink.numbers(P), PATIENCE).toEqual(range(1, 60));
    expect(far.sink.resyncs(P)).toEqual([]);
    expect(far.telemetry.of('gap_filled').length).toBeGreaterThan(1);
    const whole = await near.broker.history(P, start, upTo(1000));
    expect(whole).toMatchObject({ complete: false, publications: [] });
    const newest = await near.broker.history(P, undefined, upTo(1000));
    expect(newest.publications.length).toBeGreaterThan(10);
    expect(newest.publications.length).toBeLessThan(60);
  });

  test('[DUP] that comes again and again loses and repeats no publication', async () => {
    await using all = await startTogether();
    const { redis, far, near } = all;
    const channels = ['project:A', 'project:B', 'project:C'];
    for (const channel of channels) await far.broker.subscribe(channel);
    for (let round = 0; round < 8; round += 1) {
      const [from, to] = [round * 50 + 1, round * 50 + 50];
      const publishing = channels.map((channel) => publish(near, range(from, to), channel));
      await command(redis.url, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
      await Promise.all(publishing);
    }
    for (const channel of channels) {
      await expect.poll(() => far.sink.of(channel).length, PATIENCE).toBeGreaterThanOrEqual(400);
      expect(far.sink.offsets(channel)).toEqual(range(1, 400));
      expect(far.sink.resyncs(channel)).toEqual([]);
    }
  });

  test('[GAP] is followed by a resync when the history no longer reaches back', async () => {
    await using all = await startTogether();
    const { proxy, far, near } = all;
    await far.broker.subscribe('user:42');
    await publish(near, range(1, 1), 'user:42');
    await expect.poll(() => far.sink.numbers('user:42')).toEqual([1]);
    proxy.refuse();
    await publish(near, range(2, 300), 'user:42');
    proxy.restore();
    await expect.poll(() => far.sink.resyncs('user:42'), PATIENCE).toHaveLength(1);
    await publish(near, range(301, 310), 'user:42');
    await expect.poll(() => far.sink.numbers('user:42').at(-1), PATIENCE).toBe(310);
    const [, resync, ...rest] = far.sink.of('user:42');
    expect(resync?.kind).toBe('resync');
    const from = far.sink.resyncs('user:42')[0]?.offset ?? 0;
    expect(
      rest.map((each) => each.kind === 'publication' && each.publication.position?.offset),
    ).toEqual(range(from + 1, 310));
  });

  test('[GAP] is followed by a resync in channels without history', async () => {
    await using all = await startTogether();
    const { redis, far, near } = all;
    await far.broker.subscribe('logs');
    await command(redis.url, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
    await expect.poll(() => far.sink.resyncs('logs'), PATIENCE).toEqual([undefined]);
    await near.broker.publish(makeEvent('logs', { n: 1 }));
    await expect.poll(() => far.sink.numbers('logs'), PATIENCE).toEqual([1]);
  });

  test('[HON] makes a node unready, and its publishing fail within a second', async () => {
    await using all = await startTogether();
    const { proxy, far, near } = all;
    await far.broker.subscribe(P);
    await healthy(far);
    proxy.refuse();
    await expect.poll(() => far.broker.health().ok).toBe(false);
    for (const attempt of [
      () => far.broker.publish(makeEvent(P)),
      () => far.broker.history(P, undefined, upTo(1)),
      () => far.broker.subscribe('project:other'),
      () => far.state.stats(),
      () => far.state.subscribers([P]),
      () => far.state.userConnections(['ana']),
    ]) {
      const { code, ms } = await failure(attempt());
      expect(code).toBe('unavailable');
      expect(ms).toBeLessThan(1100);
    }
    expect((await near.broker.history(P, undefined, upTo(10))).publications).toEqual([]);
    proxy.restore();
    await healthy(far);
    await publish(far, range(1, 1));
    await expect.poll(() => far.sink.numbers(P), PATIENCE).toEqual([1]);
  });

  test('[ACK] leaves a publish unanswered that, tried again with its key, is stored once', async () => {
    await using all = await startTogether();
    const { proxy, far, near } = all;
    const event = makeEvent(P, { n: 1 }, { idempotency_key: 'k' });
    await healthy(far);
    proxy.stall();
    const { code, ms, message } = await failure(far.broker.publish(event));
    expect(code).toBe('outcome_unknown');
    expect(message).toContain('same idempotency key');
    expect(ms).toBeLessThan(1100);
    await expect.poll(() => far.broker.health().ok, PATIENCE).toBe(false);
    proxy.resume();
    await healthy(far);
    await far.broker.publish(event);
    expect((await near.broker.history(P, undefined, upTo(10))).publications).toHaveLength(1);
  });

  test('[ACK] that loses the functions ends with the next call of them', async () => {
    await using all = await startTogether();
    const { redis, far, near } = all;
    await far.broker.subscribe(P);
    for (let n = 1; n <= 10; n += 1) {
      await command(redis.url, 'FUNCTION', 'FLUSH');
      await Promise.all([far, near].map(({ broker }) => broker.publish(makeEvent(P, { n }))));
    }
    await expect.poll(() => far.sink.offsets(P)).toEqual(range(1, 20));
    await command(redis.url, 'FUNCTION', 'FLUSH');
    expect(await far.broker.subscribe('project:new')).toMatchObject({ offset: 0 });
    await command(redis.url, 'FUNCTION', 'FLUSH');
    expect((await near.broker.history(P, undefined, upTo(100))).publications).toHaveLength(20);
  });

  test('[GAP] that flushes the data is followed by a resync, after which nothing is lost', async () => {
    await using all = await startTogether();
    const { redis, far, near } = all;
    const before = await far.broker.subscribe(P);
    await publish(near, range(1, 3));
    await expect.poll(() => far.sink.numbers(P)).toEqual([1, 2, 3]);
    await command(redis.url, 'FLUSHALL');
    await publish(near, range(4, 6));
    await expect.poll(() => far.sink.numbers(P)).toEqual([1, 2, 3, 4, 5, 6]);
    const [resync, ...others] = far.sink.resyncs(P);
    expect(others).toEqual([]);
    expect(resync?.offset).toBe(0);
    expect(resync?.epoch).not.toBe(before?.epoch);
    expect(far.sink.of(P).map(({ kind }) => kind)[3]).toBe('resync');
    expect(await near.broker.history(P, before, upTo(100))).toMatchObject({ complete: false });
  });

  test('[GAP] that loses the data is followed by a resync in every channel', async () => {
    await using all = await startTogether();
    const { redis, near } = all;
    for (const channel of [P, 'all']) {
      await near.broker.subscribe(channel);
      await publish(near, range(1, 2), channel);
      await expect.poll(() => near.sink.numbers(channel)).toEqual([1, 2]);
    }
    await redis.kill();
    await redis.restart();
    await healthy(near);
    for (const channel of [P, 'all']) {
      await expect.poll(() => near.sink.resyncs(channel), PATIENCE).toHaveLength(1);
      await publish(near, range(3, 4), channel);
      await expect.poll(() => near.sink.numbers(channel), PATIENCE).toEqual([1, 2, 3, 4]);
    }
  });

  test('[HON] at the start of a node leaves it unready until Redis comes', async () => {
    await using stack = new AsyncDisposableStack();
    const redis: TestRedis = stack.use(await startRedis({ own: true }));
    await redis.stop();
    const node = stack.use(await startNode({ url: redis.url, prefix: uniquePrefix() }));
    expect(node.broker.health()).toMatchObject({ ok: false });
    await node.join();
    await redis.restart();
    await healthy(node);
    await node.broker.subscribe(P);
    await publish(node, range(1, 1));
    await expect.poll(() => node.sink.numbers(P)).toEqual([1]);
    expect(node.telemetry.of('broker_disconnected').length).toBeLessThanOrEqual(2);
  });

  test('[LIVE] is followed by subscribing thousands of channels again', async () => {
    await using all = await startTogether();
    const { redis, far, near } = all;
    const channels = range(1, 3000).map((n) => `user:${n}`);
    await Promise.all(channels.map((channel) => far.broker.subscribe(channel)));
    await command(redis.url, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
    await Promise.all(channels.map((channel) => near.broker.publish(makeEvent(channel, { n: 1 }))));
    const delivered = () => channels.filter((channel) => far.sink.numbers(channel)[0] === 1).length;
    await expect.poll(delivered, PATIENCE).toBe(channels.length);
    await healthy(far);
    for (const channel of channels) await far.broker.unsubscribe(channel);
    const left = async () => {
      const counts = await command(redis.url, 'PUBSUB', 'CHANNELS', `${all.prefix}{user:*`);
      return (counts as unknown[]).length;
    };
    await expect.poll(left, PATIENCE).toBe(0);
  });
});
