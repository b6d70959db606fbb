import { get, post, RawClient, SocketClient, tokenFor, wsUrl } from '@leque/lab';
import { describe, expect, test } from 'vitest';
import { redisCommand } from '../support/redis-client.ts';
import { useTwoNodes } from '../support/two-nodes.ts';

/** Ids as identity providers write them, with their form in the names of channels. */
const IDS = [
  ['auth0|64fabc', 'auth0%7C64fabc'],
  ['repo:octo/app:ref', 'repo:octo%2Fapp:ref'],
  ['CN=Bob Smith,OU={x}', 'CN%3DBob%20Smith%2COU%3D%7Bx%7D'],
  ['user%40x.org', 'user%2540x.org'],
  ['josé "J" \\ 漢😀', 'jos%C3%A9%20%22J%22%20%5C%20%E6%BC%A2%F0%9F%98%80'],
] as const;

describe('an id of an identity provider', () => {
  const two = useTwoNodes();

  const publish = (event: object) => post(`${two.publishUrl}/api/publish`, event);
  const byRedis = (command: readonly string[], channel: string, event: object) =>
    redisCommand(
      two.cluster.redis.url,
      ...command,
      `${two.cluster.prefix}{${channel}}`,
      JSON.stringify(event),
    );
  const fcall = byRedis.bind(undefined, ['FCALL', 'leque_publish', '1']);

  test.each(IDS)('[ID] [CH.1] [ISO] %j is a user on every way in and out', async (id, encoded) => {
    const channel = `user:${encoded}`;
    const token = tokenFor(id);
    await using raw = await RawClient.connect(wsUrl(two.clientUrl, '/ws/notifications'), { token });
    await using socket = await SocketClient.connect(two.clientUrl, { auth: { token } });
    await using other = await SocketClient.connect(two.clientUrl, {
      auth: { token: tokenFor(encoded) },
    });
    expect(await raw.first('connection')).toMatchObject({ data: { user_id: id } });
    expect(await socket.first('connected')).toMatchObject({ userId: id });
    const { body } = await publish({ type: 'by.http', user_id: id, data: {} });
    expect(body).toMatchObject({ channel });
    await fcall(channel, { type: 'by.fcall', data: {} });
    await byRedis(['PUBLISH'], channel, { type: 'by.publish', user_id: id, data: {} });
    for (const type of ['by.http', 'by.fcall', 'by.publish']) {
      expect(await raw.first(type)).toMatchObject({ channel, user_id: id });
      expect(await socket.first(type)).toMatchObject({ channel, user_id: id });
    }
    const url = `${two.publishUrl}/api/channels/${encodeURIComponent(channel)}/history`;
    const history = await get(url, { authorization: `Bearer ${token}` });
    expect(history.body).toMatchObject({ channel, publications: [{ type: 'by.http' }, {}] });
    await publish({ type: 'end', channel: 'all', data: {} });
    await other.first('end');
    expect(other.events.filter(({ payload }) => 'user_id' in payload)).toEqual([]);
  });

  test.each(IDS)(
    '[ID] [CH.3] %j is a project in URLs, commands and counts',
    async (id, encoded) => {
      const path = `/ws/project/${encodeURIComponent(id)}`;
      const token = tokenFor('u', { projects: [id] });
      await using raw = await RawClient.connect(wsUrl(two.clientUrl, path), { token });
      await using socket = await SocketClient.connect(two.clientUrl, { auth: { token } });
      const answer = await socket.socket.timeout(5000).emitWithAck('subscribe.project', {
        project_id: id,
      });
      expect(answer).toMatchObject({ project_id: id });
      await publish({ type: 'tick', project_id: id, data: {} });
      const seen = { channel: `project:${encoded}`, project_id: id };
      expect(await raw.first('tick')).toMatchObject(seen);
      expect(await socket.first('tick')).toMatchObject(seen);
      const url = `${two.publishUrl}/api/ws/project/${encodeURIComponent(id)}/subscribers`;
      await expect.poll(async () => (await get(url)).body).toMatchObject({ subscribers: 2 });
    },
  );

  test('[ID.1] a whole number is the same project as its digits, on every way in', async () => {
    const token = tokenFor('u', { projects: [42] });
    await using raw = await RawClient.connect(wsUrl(two.clientUrl, '/ws/notifications'), { token });
    await using socket = await SocketClient.connect(two.clientUrl, { auth: { token } });
    expect(await raw.ask({ action: 'subscribe', project_id: 42 })).toMatchObject({
      type: 'subscribed',
      data: { project_id: '42' },
    });
    const emit = socket.socket.timeout(5000);
    const { channels } = await emit.emitWithAck('subscribe.projects', { project_ids: [42] });
    expect(Object.keys(channels)).toEqual(['project:42']);
    await publish({ type: 'by.http', project_id: 42, data: {} });
    await fcall('project:42', { type: 'by.fcall', project_id: 42, data: {} });
    await byRedis(['PUBLISH'], 'project:42', { type: 'by.publish', project_id: 42, data: {} });
    await publish({ type: 'story_deleted', data: { story_id: 7, project_id: 42 } });
    for (const type of ['by.http', 'by.fcall', 'by.publish', 'story_deleted']) {
      expect(await raw.first(type)).toMatchObject({ channel: 'project:42', project_id: '42' });
      expect(await socket.first(type)).toMatchObject({ channel: 'project:42' });
    }
  });

  test('[ID.1] a number that is not exact is refused by name, on every way in', async () => {
    const number = 2 ** 53;
    const rule = /project_id must be a text of 1 to 256 bytes .* or a whole number/;
    const { status, body } = await publish({ type: 'x', project_id: number, data: {} });
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining('project_id')]);
    const answer = await fcall('all', { type: 'x', project_id: number, data: {} }).catch(String);
    expect(String(answer)).toMatch(rule);
    await using raw = await RawClient.connect(wsUrl(two.clientUrl, '/ws/notifications'));
    const refused = await raw.ask({ action: 'subscribe', project_id: number });
    expect(String(refused.data['message'])).toMatch(rule);
  });

  test('[CH.2] an id that is not encoded in the name of a channel is refused with the name', async () => {
    const event = { type: 'x', data: {}, channel: 'user:auth0|1' };
    expect(JSON.stringify((await publish(event)).body)).toContain('user:auth0%7C1');
    expect(String(await fcall('user:auth0|1', event).catch(String))).toContain('{user:auth0%7C1}');
    const { body } = await get(`${two.publishUrl}/api/channels/user:auth0%7C1/history`);
    expect(JSON.stringify(body)).toContain('user:auth0%257C1');
  });

  test('[AD.3] a token of 16 KiB is accepted on every way in, and a longer one refused by name', async () => {
    const fill = (length: number) =>
      tokenFor('u', { projects: ['P'], padding: 'x'.repeat(length) });
    const token = fill(Math.floor(((16_384 - fill(0).length) * 3) / 4) - 2);
    expect(token.length).toBeGreaterThan(16_370);
    const url = wsUrl(two.clientUrl, '/ws/notifications');
    await using raw = await RawClient.connect(url, { token });
    await using byUrl = await RawClient.connect(`${url}?token=${token}`);
    await using socket = await SocketClient.connect(two.clientUrl, { auth: { token } });
    await byUrl.first('connection');
    await socket.first('connected');
    expect(await raw.ask({ action: 'auth', token })).toMatchObject({ type: 'authenticated' });
    const history = `${two.publishUrl}/api/channels/project:P/history`;
    const asked = (given: string) => get(history, { authorization: `Bearer ${given}` });
    expect((await asked(token)).status).toBe(200);
    const { status, body } = await asked(fill(12_400));
    expect([status, JSON.stringify(body)]).toEqual([
      401,
      expect.stringContaining('token is longer than 16384 characters'),
    ]);
  });
});
