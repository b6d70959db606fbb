import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { post, RawClient, wsUrl } from '@leque/lab';
import {
  freePorts,
  RunningProcess,
  startLeque,
  startRedisCluster,
  startSentinel,
  uniquePrefix,
} from '@leque/testkit';
import { describeOnRedisServers } from '@leque/testkit/contracts';
import { expect, test } from 'vitest';

const TIMEOUT = { timeout: 60_000 };
const STARTS = { timeout: 30_000 };
const EVENT = { type: 'x', project_id: 'PROJ-001', data: {} };

/** Publishes at one address, and expects the event at another. */
async function expectToWork(api: string, gateway: string): Promise<void> {
  await using client = await RawClient.connect(wsUrl(gateway, '/ws/project/PROJ-001'));
  expect((await post(`${api}/api/publish`, EVENT)).status).toBe(200);
  expect(await client.first('x')).toMatchObject({ cursor: expect.any(String) });
}

describeOnRedisServers('a REDIS_URL of several servers', () => {
  test.for([
    ['of Sentinel', startSentinel],
    ['of a Redis Cluster', startRedisCluster],
  ] as const)('%s works with `leque dev`', TIMEOUT, async ([, start]) => {
    await using redis = await start();
    await using leque = await startLeque({
      REDIS_URL: redis.url,
      REDIS_KEY_PREFIX: uniquePrefix(),
    });
    await expectToWork(leque.url, leque.url);
  });

  test('of a Redis Cluster, from a file, works with `leque cluster`', TIMEOUT, async () => {
    await using redis = await startRedisCluster();
    const basePort = await freePorts(4);
    await using folder = await mkdtempDisposable(join(tmpdir(), 'leque-'));
    const file = join(folder.path, 'redis-url');
    await writeFile(file, `${redis.url}\n`);
    const env = { PORT: '0', BASE_PORT: String(basePort), REDIS_URL: '', REDIS_URL_FILE: file };
    await using running = new RunningProcess('apps/leque/src/main.ts', ['cluster'], env);
    await expect.poll(() => running.output, STARTS).toContain('Leque is ready');
    expect(running.output).toContain(`redis-cli -c -u ${redis.nodes[0]?.url} FCALL`);
    await expectToWork(`http://127.0.0.1:${basePort}`, `http://127.0.0.1:${basePort + 1}`);
  });
});
