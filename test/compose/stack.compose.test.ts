import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { get, RawClient, wsUrl } from '@leque/lab';
import { TEST_JWT_SECRET } from '@leque/testkit';
import { expect, test } from 'vitest';
import { startComposed } from './composed-system.ts';

const run = promisify(execFile);
/** Longer than Prometheus waits between two scrapes, and than nginx caches a DNS answer. */
const SOON = { timeout: 40_000, interval: 250 };
const SERVERS = ['leque-gateway', 'leque-publisher'];

async function inside(image: string, entrypoint: string, ...args: string[]): Promise<string> {
  const options = ['--rm', '--network', 'none', '--read-only', '--entrypoint', entrypoint];
  return (await run('docker', ['run', ...options, image, ...args])).stdout.trim();
}

for (const image of [...SERVERS, 'leque']) {
  test(`the image ${image} runs as an unprivileged user and contains no test files or development tools`, async () => {
    expect(await inside(image, 'id', '-u')).toBe('1000');
    expect(await inside(image, 'find', '/leque', '-not', '-user', 'root')).toBe('');
    const ours = ['apps', 'packages', '-not', '-path', '*/node_modules/*'];
    expect(await inside(image, 'find', ...ours, '-name', '*.test.ts')).toBe('');
    const modules = await inside(image, 'ls', 'node_modules/.pnpm');
    expect(modules).toMatch(/^fastify@/m);
    expect(modules).not.toMatch(/^(typescript|@biomejs|knip|dependency-cruiser|node-linux)/m);
    if (SERVERS.includes(image)) expect(modules).not.toMatch(/^(vitest|testcontainers)@/m);
  });
}

test('a server that cannot start prints the reason and exits with code 2', async () => {
  for (const image of SERVERS) {
    await expect(run('docker', ['run', '--rm', '--network', 'none', image])).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('AUTH_MODE=required needs'),
    });
  }
});

test('the leque command works in its image', async () => {
  const options = ['--rm', '--network', 'none', '--env', `JWT_SECRET=${TEST_JWT_SECRET}`];
  const { stdout } = await run('docker', ['run', ...options, 'leque', 'token', '--user', 'alice']);
  expect(stdout.trim().split('.')).toHaveLength(3);
});

test('gateways close their clients with 1012 on SIGTERM and exit within their grace period', async () => {
  await using system = await startComposed({ DRAIN_GRACE: '1', DRAIN_TIMEOUT: '3' });
  await using client = await RawClient.connect(wsUrl(system.node.url, '/ws/project/P'));
  const startedAt = performance.now();
  await system.compose('stop', 'gateway');
  expect((await client.closed).code).toBe(1012);
  expect(performance.now() - startedAt).toBeLessThan(15_000);
  const states = await system.compose('ps', '--all', '--format', '{{.ExitCode}}', 'gateway');
  expect(states.trim().split('\n')).toEqual(['0', '0', '0']);
});

test('with five gateways instead of three, nginx sends clients to each and Prometheus scrapes each', async () => {
  await using system = await startComposed({}, ['nginx', 'prometheus', 'redis-exporter']);
  await system.compose('up', '-d', '--wait', '--no-build', '--scale', 'gateway=5', 'nginx');
  const ask = async (query: string) => {
    const url = `${system.prometheusUrl}/api/v1/query?query=${encodeURIComponent(query)}`;
    const { result } = (await get(url)).body['data'] as { result: readonly { value: string[] }[] };
    return result.map(({ value: [, value] }) => Number(value)).sort();
  };
  await expect.poll(() => ask('count by (job) (up == 1)'), SOON).toEqual([1, 2, 5]);
  await using stack = new AsyncDisposableStack();
  const url = wsUrl(system.node.url, '/ws/project/P');
  for (let left = 50; left > 0; left -= 1) stack.use(await RawClient.connect(url));
  const perGateway = 'leque_connections{transport="ws",state="open"}';
  await expect.poll(() => ask(`sum(${perGateway})`), SOON).toEqual([50]);
  expect(await ask(`count(${perGateway} > 0)`)).toEqual([5]);
});
