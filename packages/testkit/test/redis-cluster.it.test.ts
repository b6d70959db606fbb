import { Cluster } from 'ioredis';
import { expect, test } from 'vitest';
import { describeOnRedisServers } from '../src/contracts/index.ts';
import { startRedisCluster, type TestRedisCluster } from '../src/index.ts';

const TIMEOUT_MS = 60_000;
const KEYS = Array.from({ length: 25 }, (_, index) => `{tag}:${index}`);

describeOnRedisServers('startRedisCluster', () => {
  test('moves a slot with its data, there and back', { timeout: TIMEOUT_MS }, async () => {
    await using cluster = await startRedisCluster();
    await using client = connect(cluster);
    await client.write();
    const old = await cluster.masterOf('{tag}');
    const others = (await cluster.masters()).filter((master) => master !== old);
    expect(others).toHaveLength(2);
    for (const target of [...others, old]) {
      await cluster.moveSlot('{tag}', target);
      expect(await cluster.masterOf('{tag}:1')).toBe(target);
      expect(await client.read()).toEqual(KEYS);
    }
  });

  test('promotes a replica on demand', { timeout: TIMEOUT_MS }, async () => {
    await using cluster = await startRedisCluster();
    await using client = connect(cluster);
    await client.write();
    const [old, replica] = [await cluster.masterOf('{tag}'), await cluster.replicaOf('{tag}')];
    expect(await cluster.failover('{tag}')).toBe(replica);
    expect(await client.read()).toEqual(KEYS);
    await cluster.settled();
    expect(await cluster.replicaOf('{tag}')).toBe(old);
  });

  test('lets a replica take over from a killed master, which follows it later', {
    timeout: TIMEOUT_MS,
  }, async () => {
    await using cluster = await startRedisCluster({ appendonly: true });
    await using client = connect(cluster);
    await client.write();
    const [old, replica] = [await cluster.masterOf('{tag}'), await cluster.replicaOf('{tag}')];
    await old.kill();
    expect(await cluster.promoted('{tag}', old)).toBe(replica);
    await expect.poll(() => client.read().catch(String), { timeout: 10_000 }).toEqual(KEYS);
    await old.restart();
    await cluster.settled();
    expect(await cluster.masterOf('{tag}')).toBe(replica);
  });
});

function connect({ nodes }: TestRedisCluster) {
  const client = new Cluster(nodes.map(({ url }) => url));
  return {
    write: () => Promise.all(KEYS.map((key) => client.set(key, key))),
    read: () => Promise.all(KEYS.map((key) => client.get(key))),
    async [Symbol.asyncDispose]() {
      client.disconnect();
    },
  };
}
