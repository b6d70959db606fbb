import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { expect, test } from 'vitest';
import { startGateway } from './support/gateway.ts';

const OPEN = { AUTH_MODE: 'open' };
const WEBSOCKET = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
const WAYS: readonly [path: string, headers: Record<string, string>][] = [
  ['/ws/notifications', WEBSOCKET],
  ['/ws/project/P', WEBSOCKET],
  ['/ws/logs', WEBSOCKET],
  ['/socket.io/?EIO=4&transport=websocket', WEBSOCKET],
  ['/socket.io/?EIO=4&transport=polling', {}],
];

/** The status with which the server answers under that name; 101 for an upgrade. */
async function statusUnder(url: string, headers: Record<string, string>): Promise<number> {
  const asking = request(url, { headers, agent: false, timeout: 5000 }).end();
  const ways = ['response', 'upgrade'].map((event) => once(asking, event));
  for (const way of ways) way.catch(() => {}); // one of them never comes
  const [answer] = (await Promise.race(ways)) as [IncomingMessage];
  asking.destroy();
  answer.destroy();
  return answer.statusCode ?? 0;
}

test.for(WAYS)(
  'in open mode a page that has pointed its own name here gets nothing: %s',
  async ([path, headers]) => {
    await using gateway = await startGateway({ ...OPEN, ALLOWED_HOSTS: 'leque.test' });
    const under = (host: string) => {
      const origin = `http://${host}`;
      return statusUnder(gateway.url + path, { ...headers, host, origin });
    };
    // Engine.IO refuses an upgrade with 400.
    for (const host of ['evil.test:9001', 'localhost.evil.test']) {
      expect([400, 403]).toContain(await under(host));
    }
    const accepted = path.includes('polling') ? 200 : 101;
    expect(await under('localhost:9001')).toBe(accepted);
    expect(await under('leque.test')).toBe(accepted);
  },
);
