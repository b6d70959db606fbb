import { startRedis, startRedisCluster, uniquePrefix } from '@leque/testkit';
import { describeOnOwnRedis, describeOnRedisServers } from '@leque/testkit/contracts';
import { makeEvent } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { command } from '../support/foreign-service.ts';
import { startNode } from '../support/redis-node.ts';

const PATIENCE = { timeout: 10_000 };
const PUBLISHES = "return is_in_cluster() and 'SPUBLISH' or 'PUBLISH'";

/** Loads functions that publish by `wrong`, with a higher version, which nodes do not replace. */
async function publishBy(wrong: 'PUBLISH' | 'SPUBLISH', url: string): Promise<void> {
  const libraries = await command(url, 'FUNCTION', 'LIST', 'LIBRARYNAME', 'leque', 'WITHCODE');
  const [library] = libraries as string[][];
  const code = library?.at(-1) ?? '';
  expect(code).toContain(PUBLISHES);
  const wrongly = code
    .replace(PUBLISHES, `return '${wrong}'`)
    .replace(/^-- leque version \d+$/m, '-- leque version 99999');
  await command(url, 'FUNCTION', 'LOAD', 'REPLACE', wrongly);
}

describeOnOwnRedis('the probe of a node', () => {
  test('[HON] notices functions that publish where the node does not listen', async () => {
    await using redis = await startRedis({ own: true });
    await using node = await startNode({ url: redis.url, prefix: uniquePrefix() });
    await expect.poll(() => node.broker.health(), PATIENCE).toEqual({ ok: true });
    await publishBy('SPUBLISH', redis.url);
    await node.broker.publish(makeEvent('project:P')); // the publisher sees no error
    await expect
      .poll(() => node.broker.health(), PATIENCE)
      .toMatchObject({ ok: false, reason: expect.stringContaining('probe') });
  });
});

describeOnRedisServers('the probe of a node of a Redis Cluster', () => {
  test('[HON] notices functions of one master that publish where the node does not listen', {
    timeout: 60_000,
  }, async () => {
    await using redis = await startRedisCluster();
    await using node = await startNode({ url: redis.url, prefix: uniquePrefix() });
    await expect.poll(() => node.broker.health(), PATIENCE).toEqual({ ok: true });
    const [, master] = await redis.masters();
    await publishBy('PUBLISH', master?.url ?? '');
    await expect
      .poll(() => node.broker.health(), PATIENCE)
      .toMatchObject({ ok: false, reason: expect.stringContaining(`${master?.port}: probe`) });
  });
});
