import { startRedis, uniquePrefix } from '@leque/testkit';
import { describeOnOwnRedis } from '@leque/testkit/contracts';
import { makeEvent } from '@leque/testkit/fakes';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { openRedis } from '../../src/open-redis.ts';
import { command } from '../support/foreign-service.ts';
import { settingsFor, startNode } from '../support/redis-node.ts';

const P = 'project:P';
const PATIENCE = { timeout: 15_000 };
const KIND = { name: 'nothing' } as never;

describeOnOwnRedis('installations on one Redis', () => {
  test('[ISO] with different prefixes do not meet, and an inspection names them', async () => {
    await using redis = await startRedis({ own: true });
    const [here, there] = [uniquePrefix(), uniquePrefix()];
    await using node = await startNode({ url: redis.url, prefix: here });
    await using other = await startNode({ url: redis.url, prefix: there });
    for (const { broker, control, join } of [node, other]) {
      await broker.subscribe(P);
      control.handle(KIND, () => []);
      await join();
    }
    await other.broker.publish(makeEvent(P, { n: 1 }));
    await node.broker.publish(makeEvent(P, { n: 2 }));
    await expect.poll(() => node.sink.numbers(P), PATIENCE).toEqual([2]);
    await expect.poll(() => other.sink.numbers(P), PATIENCE).toEqual([1]);
    const drivers = openRedis(settingsFor(redis.url, here), {
      nodeId: 'check',
      telemetry: { report: () => {} },
    });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => drivers.close());
    await drivers.connect();
    const foreign = new Redis(redis.url);
    stack.defer(() => foreign.disconnect());
    await foreign.subscribe(`${here}socket.io-request#/events#`);
    const inspected = async () => (await drivers.inspect('gateway')).servers[0];
    const neighbours = {
      prefixes: [there],
      adapters: 1,
      nodes: [expect.stringMatching(/^node-\d+$/)],
    };
    await expect.poll(inspected, PATIENCE).toMatchObject({ neighbours, newerFunctions: undefined });
    const newer = '#!lua name=leque\n-- leque version 99\n';
    const functions = ['append', 'position', 'history', 'lease', 'probe', 'rights'].map(
      (name) => `redis.register_function('leque_${name}', function() return {} end)`,
    );
    await command(redis.url, 'FUNCTION', 'LOAD', 'REPLACE', newer + functions.join('\n'));
    expect(await inspected()).toMatchObject({ newerFunctions: 99 });
  });
});
