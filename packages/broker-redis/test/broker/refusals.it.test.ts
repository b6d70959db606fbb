import { startRedis, uniquePrefix } from '@leque/testkit';
import { describeOnOwnRedis } from '@leque/testkit/contracts';
import { makeEvent, upTo } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { command } from '../support/foreign-service.ts';
import { type RedisNode, startNode } from '../support/redis-node.ts';

const P = 'project:P';
const PATIENCE = { timeout: 5000 };
const READY = { ok: true };

/** A gateway and a publisher on a Redis that can be made to refuse. */
async function startBoth() {
  const stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis({ own: true }));
  const options = { url: redis.url, prefix: uniquePrefix() };
  const gateway = stack.use(await startNode(options));
  const publisher = stack.use(await startNode({ ...options, receives: false }));
  await gateway.join();
  return {
    gateway,
    publisher,
    say: (...words: string[]) => command(redis.url, ...words),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const health = (node: RedisNode) => expect.poll(() => node.broker.health(), PATIENCE);
const because = (reason: string) => ({ ok: false, reason: expect.stringContaining(reason) });

/** A refusal is one line for each process, and no failure of it. */
function toldOnce(...nodes: RedisNode[]): void {
  for (const { telemetry } of nodes) {
    expect(telemetry.of('broker_refused')).toHaveLength(1);
    expect(telemetry.of('failure')).toEqual([]);
  }
}

describeOnOwnRedis('a Redis that refuses writes because', () => {
  test('[HON] [CNT] its memory is full lets clients join, resume and be counted, but makes publishers unready', async () => {
    await using all = await startBoth();
    const { gateway, publisher, say } = all;
    const start = await gateway.broker.subscribe(P);
    await publisher.broker.publish(makeEvent(P, { n: 1 }));
    await say('CONFIG', 'SET', 'maxmemory', '1');
    await health(publisher).toEqual(because('OOM'));
    await expect(publisher.broker.publish(makeEvent(P))).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(await gateway.broker.subscribe('project:new')).toMatchObject({ offset: 0 });
    expect((await gateway.broker.history(P, start, upTo(10))).publications).toHaveLength(1);
    expect(await publisher.state.stats()).toMatchObject({ active_connections: 0 });
    expect(gateway.broker.health()).toEqual(READY);
    expect(gateway.telemetry.of('failure')).toEqual([]);
    let connections = 0;
    const heard = () => {
      gateway.state.setConnections(connections++);
      return gateway.telemetry.of('broker_refused').map(({ detail }) => detail.slice(0, 3));
    };
    await expect.poll(heard, PATIENCE).toEqual(['OOM']);
    await say('CONFIG', 'SET', 'maxmemory', '0');
    await health(publisher).toEqual(READY);
    toldOnce(gateway, publisher);
  });

  test('[HON] it is a replica makes gateways and publishers unready', async () => {
    await using all = await startBoth();
    const { gateway, publisher, say } = all;
    await say('REPLICAOF', '127.0.0.1', '1');
    await health(gateway).toEqual(because('READONLY'));
    await health(publisher).toEqual(because('READONLY'));
    await say('REPLICAOF', 'NO', 'ONE');
    await health(gateway).toEqual(READY);
    await health(publisher).toEqual(READY);
    expect(await gateway.broker.subscribe(P)).toMatchObject({ offset: 0 });
    toldOnce(gateway, publisher);
  });

  test('[HON] [ACK] too few replicas follow it stores nothing, and makes every process unready', async () => {
    await using all = await startBoth();
    const { gateway, publisher, say } = all;
    await say('CONFIG', 'SET', 'min-replicas-to-write', '1');
    await expect(publisher.broker.publish(makeEvent(P))).rejects.toMatchObject({
      code: 'unavailable',
      cause: { message: expect.stringContaining('NOREPLICAS') },
    });
    await health(gateway).toEqual(because('NOREPLICAS'));
    await health(publisher).toEqual(because('NOREPLICAS'));
    await say('CONFIG', 'SET', 'min-replicas-to-write', '0');
    await health(gateway).toEqual(READY);
    await health(publisher).toEqual(READY);
    expect((await publisher.broker.publish(makeEvent(P))).position).toMatchObject({ offset: 1 });
    toldOnce(gateway, publisher);
  });
});
