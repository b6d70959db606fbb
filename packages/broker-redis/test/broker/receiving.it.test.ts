import { startRedis, uniquePrefix } from '@leque/testkit';
import { describeOnOwnRedis } from '@leque/testkit/contracts';
import { makeEvent } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { command } from '../support/foreign-service.ts';
import { type RedisNode, startNode } from '../support/redis-node.ts';
import { startTogether } from '../support/together.ts';

const PATIENCE = { timeout: 10_000 };
/** The time that HON allows. */
const SOON = { timeout: 5000 };
const P = 'project:P';
const SUBSCRIBER = 'leque-subscriber';

const health = (node: RedisNode) => () => node.broker.health();
const unready = (reason: string) => ({ ok: false, reason: expect.stringContaining(reason) });

describeOnOwnRedis('a node that receives', () => {
  test('[HON] is not ready while its user may not subscribe, and recovers with the right', async () => {
    await using redis = await startRedis({ own: true });
    const rights = ['on', '>secret', '~*', '+@all'];
    await command(redis.url, 'ACL', 'SETUSER', 'node', ...rights, 'resetchannels');
    const url = redis.url.replace('redis://', 'redis://node:secret@');
    await using node = await startNode({ url, prefix: uniquePrefix() });
    await expect.poll(health(node), SOON).toMatchObject(unready('NOPERM'));
    await command(redis.url, 'ACL', 'SETUSER', 'node', 'allchannels');
    await expect.poll(health(node), SOON).toEqual({ ok: true });
    await command(redis.url, 'ACL', 'SETUSER', 'node', 'resetchannels');
    await expect.poll(health(node), SOON).toMatchObject(unready('NOPERM'));
    const detail = expect.stringContaining('channels cannot be subscribed: the user in REDIS_URL');
    const reported = node.telemetry.of('broker_refused');
    expect(reported).toContainEqual({ type: 'broker_refused', detail });
    expect(node.telemetry.of('failure')).toEqual([]);
  });

  test('[HON] is not ready while a channel that has subscribers is refused', async () => {
    await using redis = await startRedis({ own: true });
    const prefix = uniquePrefix();
    const allowed = [`&${prefix}{node:*`, `&${prefix}{all}`];
    const rights = ['on', '>secret', '~*', '+@all', 'resetchannels', ...allowed];
    await command(redis.url, 'ACL', 'SETUSER', 'node', ...rights);
    const url = redis.url.replace('redis://', 'redis://node:secret@');
    await using node = await startNode({ url, prefix });
    await expect.poll(health(node), SOON).toEqual({ ok: true });
    await Promise.all([
      expect(node.broker.subscribe(P)).rejects.toMatchObject({ code: 'unavailable' }),
      expect.poll(health(node)).toMatchObject(unready('NOPERM')),
    ]);
    await expect.poll(health(node), SOON).toEqual({ ok: true });
    expect(await node.broker.subscribe('all')).toMatchObject({ offset: 0 });
  });

  test('[HON] [GAP] rebuilds a subscriber connection that is open and dead, and loses nothing', async () => {
    await using all = await startTogether();
    const { proxy, far, near } = all;
    await far.broker.subscribe(P);
    await expect.poll(health(far), SOON).toEqual({ ok: true });
    proxy.stall(SUBSCRIBER);
    await near.broker.publish(makeEvent(P, { n: 1 }));
    await expect.poll(health(far), SOON).toMatchObject(unready('subscriber connection'));
    // The connection for commands works as before.
    expect((await far.broker.publish(makeEvent(P, { n: 2 }))).position?.offset).toBe(2);
    proxy.resume();
    await expect.poll(health(far), PATIENCE).toEqual({ ok: true });
    await expect.poll(() => far.sink.numbers(P), PATIENCE).toEqual([1, 2]);
    expect(far.telemetry.of('broker_disconnected').map(({ detail }) => detail)).toEqual([
      'subscriber connection: published messages do not arrive',
    ]);
  });

  test('[HON] rebuilds a subscriber connection that dies while it subscribes', async () => {
    await using all = await startTogether();
    const { proxy, far, near } = all;
    await expect.poll(health(far), SOON).toEqual({ ok: true });
    proxy.stall(SUBSCRIBER);
    await expect(far.broker.subscribe(P)).rejects.toMatchObject({ code: 'unavailable' });
    await expect.poll(health(far), SOON).toMatchObject(unready('subscriber connection'));
    proxy.resume();
    await expect.poll(health(far), PATIENCE).toEqual({ ok: true });
    await far.broker.subscribe(P);
    await near.broker.publish(makeEvent(P, { n: 1 }));
    await expect.poll(() => far.sink.numbers(P), PATIENCE).toEqual([1]);
  });

  test('[HON] is not ready when its probe is refused', async () => {
    await using redis = await startRedis({ own: true });
    const rights = ['on', '>secret', '~*', '&*', '+@all', '-publish'];
    await command(redis.url, 'ACL', 'SETUSER', 'node', ...rights);
    const url = redis.url.replace('redis://', 'redis://node:secret@');
    await using node = await startNode({ url, prefix: uniquePrefix() });
    await expect.poll(health(node), SOON).toMatchObject(unready('may not PUBLISH'));
    await command(redis.url, 'ACL', 'SETUSER', 'node', '+publish');
    await expect.poll(health(node), SOON).toEqual({ ok: true });
  });

  test('[HON] is not the same as a process that only publishes, which need not be able to subscribe', async () => {
    await using redis = await startRedis({ own: true });
    const rights = ['on', '>secret', '~*', '&*', '+@all', '-subscribe'];
    await command(redis.url, 'ACL', 'SETUSER', 'publisher', ...rights);
    const url = redis.url.replace('redis://', 'redis://publisher:secret@');
    await using node = await startNode({ url, prefix: uniquePrefix(), receives: false });
    expect(node.broker.health()).toEqual({ ok: true });
    expect((await node.broker.publish(makeEvent(P))).position?.offset).toBe(1);
  });
});
