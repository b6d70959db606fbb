import { expect, test } from 'vitest';
import { startGateway, tokenFor } from './support/gateway.ts';
import { RawClient } from './support/raw-client.ts';

test('[WS1.3] events called heartbeat, stats and error have a channel, and the messages of the server have none', async () => {
  await using gateway = await startGateway({ WEBSOCKET_HEARTBEAT_INTERVAL: '0.1' });
  using client = new RawClient(
    gateway.url,
    '/ws/notifications',
    await tokenFor('ana', { projects: ['P'] }),
  );
  await expect.poll(() => client.of('connection')).toHaveLength(1);
  for (const action of ['ping', 'stats', 'subscribe', 'nothing']) {
    client.say({ action, project_id: 'P' });
  }
  const names = ['heartbeat', 'stats', 'error'];
  for (const type of names) {
    await gateway.publish({ type, data: { message: 'm' }, project_id: 'P' });
  }
  const answers = ['connection', 'pong', 'subscribed', ...names];
  const channelsOf = (type: string) => new Set(client.of(type).map(({ channel }) => channel));
  await expect
    .poll(() => names.map(channelsOf))
    .toEqual(names.map(() => new Set([undefined, 'project:P'])));
  for (const type of answers) expect([...channelsOf(type)], type).toContain(undefined);
});
