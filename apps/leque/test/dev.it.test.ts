import { get } from '@leque/lab';
import { startLeque } from '@leque/testkit';
import { describe, expect, test } from 'vitest';

describe('leque dev', () => {
  test('counts the outcomes of API keys and tokens of both its roles', async () => {
    await using server = await startLeque({ AUTH_MODE: 'open', PUBLISH_API_KEYS: 'known-key' });
    const ask = (key: string) => get(`${server.url}/api/ws/stats`, { 'x-api-key': key });
    expect((await ask('known-key')).status).toBe(200);
    expect((await ask('wrong-key')).status).toBe(401);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toContain('leque_authentications_total{outcome="accepted"} 1');
    expect(metrics).toContain('leque_authentications_total{outcome="api_key_invalid"} 1');
    expect(metrics).toContain('leque_http_requests_total{method="GET",route="/api/ws/stats"');
  });

  test('[HON] reports gateway and publisher as not ready once it is about to end', async () => {
    await using server = await startLeque({ AUTH_MODE: 'open', DRAIN_GRACE: '3' });
    const unready = async () => {
      const { body } = await get(`${server.url}/api/nodes`);
      const nodes = body['nodes'] as { readonly app: string; readonly unready: string[] }[];
      return nodes.map((node) => [node.app, node.unready]);
    };
    expect(await unready()).toEqual([
      ['gateway', []],
      ['publisher', []],
    ]);
    process.kill(server.pid, 'SIGTERM');
    await expect.poll(unready).toEqual([
      ['gateway', ['draining']],
      ['publisher', ['draining']],
    ]);
  });
});
