import { answerHead } from '@leque/testkit';
import { expect, test } from 'vitest';
import { startGateway, tokenFor } from './support/gateway.ts';
import { RawClient } from './support/raw-client.ts';

test.for(['/ws/notifications', '/ws/project/P', '/ws/logs'])(
  '%s also works with a trailing slash',
  async (path) => {
    await using gateway = await startGateway();
    const token = await tokenFor('ana', { projects: ['P'], scopes: ['logs'] });
    using plain = new RawClient(gateway.url, path, token);
    using slashed = new RawClient(gateway.url, `${path}/`, token);
    for (const client of [plain, slashed]) {
      await expect.poll(() => client.of('connection')).toHaveLength(1);
    }
  },
);

test('[WS3.2] counts of the whole cluster go only to those who may read statistics', async () => {
  await using gateway = await startGateway();
  const member = await tokenFor('ana', { projects: ['P'] });
  const operator = await tokenFor('ops', { scopes: ['stats'] });
  const fields = async (token: string) => {
    using client = new RawClient(gateway.url, '/ws/notifications', token);
    await expect.poll(() => client.of('connection')).toHaveLength(1);
    client.say({ action: 'stats' });
    await expect.poll(() => client.of('stats')).toHaveLength(1);
    return Object.keys(client.of('stats')[0]?.['data'] ?? {}).sort();
  };
  expect(await fields(member)).toEqual(['active_projects', 'connections_per_project']);
  expect(await fields(operator)).toEqual([
    'active_connections',
    'active_projects',
    'connections_per_project',
    'total_broadcasts',
    'total_connections',
    'total_messages_sent',
  ]);
});

test.for([
  { scopes: [], status: 403 },
  { scopes: ['stats', 'publish:all'], status: 403 },
  { scopes: ['logs'], status: 101 },
  { scopes: ['admin'], status: 101 },
] as const)('[RD1] [ISO] /ws/logs with the scopes $scopes answers $status', async (row) => {
  await using gateway = await startGateway();
  const token = await tokenFor('ana', { projects: ['*'], scopes: [...row.scopes] });
  const { status } = await answerHead(gateway.url, { path: `/ws/logs?token=${token}` });
  expect(status).toBe(row.status);
});
