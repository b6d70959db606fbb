import { answerHead } from '@leque/testkit';
import { expect, test } from 'vitest';
import { startGateway } from './support/gateway.ts';

const OPEN = { AUTH_MODE: 'open' };
const NO_UPGRADE = { Upgrade: undefined, Connection: undefined };
const WAYS: readonly [path: string, headers: object][] = [
  ['/ws/notifications', {}],
  ['/ws/project/P', {}],
  ['/ws/logs', {}],
  ['/socket.io/?EIO=4&transport=websocket', {}],
  ['/socket.io/?EIO=4&transport=polling', NO_UPGRADE],
];

test.for(WAYS)(
  'in open mode a page that has pointed its own name here gets nothing: %s',
  async ([path, headers]) => {
    await using gateway = await startGateway({ ...OPEN, ALLOWED_HOSTS: 'leque.test' });
    const under = async (host: string) => {
      const named = { ...headers, Host: host, Origin: `http://${host}` };
      return (await answerHead(gateway.url, { path, headers: named })).status;
    };
    for (const host of ['evil.test:9001', 'localhost.evil.test']) {
      expect(await under(host)).toBe(403);
    }
    const accepted = path.includes('polling') ? 200 : 101;
    expect(await under('localhost:9001')).toBe(accepted);
    expect(await under('leque.test')).toBe(accepted);
  },
);
