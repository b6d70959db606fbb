import { io } from 'socket.io-client';
import { expect, test } from 'vitest';
import { startGateway, tokenFor } from './support/gateway.ts';
import { RawClient } from './support/raw-client.ts';

const PROJECTS = ['P'];
const MISSPELT = { sinse: 'x', grnt: 'x' };
const IGNORED = Object.keys(MISSPELT);

test('[WS3.9] the answer of every raw command names the fields that it ignored', async () => {
  await using gateway = await startGateway();
  const token = await tokenFor('alice', { projects: PROJECTS });
  using raw = new RawClient(gateway.url, '/ws/notifications', token);
  await expect.poll(() => raw.of('connection').length).toBe(1);
  const commands = [
    ['pong', { action: 'ping' }],
    ['subscribed', { action: 'subscribe', project_id: 'P' }],
    ['unsubscribed', { action: 'unsubscribe', project_id: 'P' }],
    ['stats', { action: 'stats' }],
    ['resumed', { action: 'resume', cursors: {} }],
    ['authenticated', { action: 'auth', token }],
  ] as const;
  for (const [answer, command] of commands) {
    raw.say({ ...command, ...MISSPELT });
    await expect.poll(() => raw.of(answer).at(-1)?.data['ignored']).toEqual(IGNORED);
  }
});

test('[IO5.4] acknowledgements and `connected` name the fields that were ignored', async () => {
  await using gateway = await startGateway();
  const token = await tokenFor('alice', { projects: PROJECTS });
  const auth = { token, projects: true, cursor: 'x' };
  const socket = io(`${gateway.url}/events`, { auth });
  try {
    const connected = await new Promise((resolve) => socket.once('connected', resolve));
    expect(connected).toMatchObject({ ignored: ['cursor'] });
    const commands = [
      ['subscribe.tasks', {}],
      ['unsubscribe.tasks', {}],
      ['subscribe.project', { project_id: 'P' }],
      ['unsubscribe.project', { project_id: 'P' }],
      ['subscribe.projects', { project_ids: PROJECTS, since: {} }],
      ['unsubscribe.projects', { project_ids: PROJECTS }],
      ['auth', { token }],
    ] as const;
    for (const [name, fields] of commands) {
      const acknowledge = socket.timeout(5000);
      const plain = await acknowledge.emitWithAck(name, fields);
      expect(plain).not.toHaveProperty('ignored');
      const answer = await acknowledge.emitWithAck(name, { ...fields, ...MISSPELT });
      expect(answer).toMatchObject({ ignored: IGNORED });
    }
  } finally {
    socket.disconnect();
  }
});
