import { expect, test } from 'vitest';
import { startGateway, tokenFor } from './support/gateway.ts';
import { RawClient } from './support/raw-client.ts';

test.for(['/ws/notifications', '/ws/project/P', '/ws/logs'])(
  '%s also works with a trailing slash',
  async (path) => {
    await using gateway = await startGateway();
    const token = await tokenFor('ana', { projects: ['P'] });
    using plain = new RawClient(gateway.url, path, token);
    using slashed = new RawClient(gateway.url, `${path}/`, token);
    for (const client of [plain, slashed]) {
      await expect.poll(() => client.of('connection')).toHaveLength(1);
    }
  },
);
