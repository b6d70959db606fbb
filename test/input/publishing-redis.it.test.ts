import { post, RawClient, SocketClient, tokenFor, wsUrl } from '@leque/lab';
import { describe, expect, test } from 'vitest';
import { redisCommand } from '../support/redis-client.ts';
import { expectOneStory, historyOf, story } from '../support/stories.ts';
import { useTwoNodes } from '../support/two-nodes.ts';

const CURSOR = /^([a-z0-9]+)\.(\d+)$/;

describe('publishing', () => {
  const two = useTwoNodes({ EVENT_SCHEMAS: 'strict' });

  const publish = (body: unknown, headers?: Record<string, string>) =>
    post(`${two.publishUrl}/api/publish`, body, headers);
  const watch = (projectId: string) =>
    RawClient.connect(wsUrl(two.clientUrl, `/ws/project/${projectId}`));
  const fcall = (channel: string, event: object, ...key: string[]) =>
    redisCommand(
      two.cluster.redis.url,
      'FCALL',
      'leque_publish',
      '1',
      `${two.cluster.prefix}{${channel}}`,
      JSON.stringify(event),
      ...key,
    );

  describe('by a plain Redis client:', () => {
    test('FCALL leque_publish stores the event and reaches raw and Socket.IO clients', async () => {
      await using raw = await watch('PROJ-fcall');
      await using socket = await socketIn('PROJ-fcall');
      await fcall('project:PROJ-fcall', story('PROJ-fcall', 'from redis-cli'));
      const event = await raw.first('story_created');
      expect(event).toMatchObject({
        ...story('PROJ-fcall', 'from redis-cli'),
        timestamp: expect.any(String),
        message_id: expect.any(String),
        channel: 'project:PROJ-fcall',
        cursor: expect.stringMatching(CURSOR),
      });
      expect(await socket.first('story_created')).toMatchObject({
        data: event.data,
        message_id: event.message_id,
        cursor: event.cursor,
      });
      expect(await historyOf(two.publishUrl, 'PROJ-fcall')).toMatchObject([
        { message_id: event.message_id },
      ]);
    });

    test('[ACK] FCALL answers with the position, which is the same for the same idempotency key', async () => {
      await using client = await watch('PROJ-idem');
      const answers = [
        await fcall('project:PROJ-idem', story('PROJ-idem'), 'key-1'),
        await fcall('project:PROJ-idem', story('PROJ-idem'), 'key-1'),
      ] as [string, string, number, number][];
      const event = await client.first('story_created');
      const [messageId, epoch, offset] = answers[0] ?? [];
      expect({ messageId, cursor: `${epoch}.${offset}` }).toEqual({
        messageId: event.message_id,
        cursor: event.cursor,
      });
      expect(answers[1]?.slice(0, 3)).toEqual(answers[0]?.slice(0, 3));
      await expectOneStory(client, two.publishUrl, 'PROJ-idem');
    });

    test('FCALL refuses a bad event, names the field, and stores nothing', async () => {
      const { title: _, ...data } = story('PROJ-refused').data;
      const bad = { ...story('PROJ-refused'), data };
      const answer = await fcall('project:PROJ-refused', bad).catch(String);
      expect(JSON.stringify(answer)).toContain('data.title');
      expect(await historyOf(two.publishUrl, 'PROJ-refused')).toEqual([]);
    });

    test('[NP3] PUBLISH reaches raw and Socket.IO clients live and without a cursor', async () => {
      await using raw = await watch('PROJ-plain');
      await using socket = await socketIn('PROJ-plain');
      const event = story('PROJ-plain', 'quick');
      const channel = `${two.cluster.prefix}{project:PROJ-plain}`;
      await redisCommand(two.cluster.redis.url, 'PUBLISH', channel, JSON.stringify(event));
      const received = await raw.first('story_created');
      expect(received).toMatchObject(event);
      expect(received.cursor).toBeUndefined();
      expect(await socket.first('story_created')).toMatchObject({ data: event.data });
      expect(await historyOf(two.publishUrl, 'PROJ-plain')).toEqual([]);
    });

    test('PUBLISH of an invalid event is dropped, and the next event arrives', async () => {
      await using client = await watch('PROJ-garbage');
      const channel = `${two.cluster.prefix}{project:PROJ-garbage}`;
      for (const text of ['', 'no JSON', '[]', '{}', '{"type":"x"', '{"type":"connection"}']) {
        await redisCommand(two.cluster.redis.url, 'PUBLISH', channel, text);
      }
      await publish(story('PROJ-garbage'));
      await client.first('story_created');
      expect(client.events.map(({ type }) => type)).toEqual(['connection', 'story_created']);
    });
  });

  describe('of a task event with a user_id', () => {
    const task = { taskId: 'T-1', userId: 'user-both', agentId: 'A-1', status: 'pending' };
    const event = { type: 'task.created', user_id: 'user-both', data: task };

    test.for([
      ['POST /api/publish', (): Promise<unknown> => publish(event)],
      ['FCALL leque_publish', (): Promise<unknown> => fcall('user:user-both', event)],
    ] as const)(
      '[ISO] by %s reaches the Socket.IO and raw sessions of that user and nobody else',
      async ([, send]) => {
        await using raw = await RawClient.connect(wsUrl(two.clientUrl, '/ws/notifications'), {
          token: tokenFor('user-both'),
        });
        await using stranger = await RawClient.connect(wsUrl(two.clientUrl, '/ws/notifications'), {
          token: tokenFor('user-other'),
        });
        await using socket = await SocketClient.connect(two.clientUrl, {
          token: tokenFor('user-both'),
        });
        await send();
        const received = await raw.first('task.created');
        expect(received).toMatchObject({ ...event, channel: 'user:user-both' });
        const { message_id, cursor } = received;
        const emitted = { event: 'task.created', data: task, message_id, cursor };
        expect(await socket.first('task.created')).toMatchObject(emitted);
        expect(await socket.first('task.event')).toMatchObject(emitted);
        await publish({ type: 'end', data: {} });
        await stranger.first('end');
        expect(stranger.all('task.created')).toEqual([]);
      },
    );
  });

  describe('ids that only the data of an event has', () => {
    const project = 'PROJ-data';
    const key = () => `${two.cluster.prefix}{project:${project}}`;
    const ids = { story_id: 'STR-1', user_id: 'user-of-data' };
    const event = { type: 'story_deleted', data: ids };

    test.for([
      ['POST /api/publish', () => publish({ ...event, project_id: project })],
      [
        'POST /api/ws/broadcast',
        () => post(`${two.publishUrl}/api/ws/broadcast`, { ...event, project_id: project }),
      ],
      ['FCALL leque_publish', () => fcall(`project:${project}`, event)],
      [
        'PUBLISH',
        () => redisCommand(two.cluster.redis.url, 'PUBLISH', key(), JSON.stringify(event)),
      ],
    ] as const)('[EV4] %s: every client finds them in the envelope', async ([, send]) => {
      await using raw = await watch(project);
      await using socket = await socketIn(project);
      await (send as () => Promise<unknown>)();
      const expected = { project_id: project, ...ids, data: ids };
      expect(await raw.first('story_deleted')).toMatchObject(expected);
      expect(await socket.first('story_deleted')).toMatchObject(expected);
    });
  });

  async function socketIn(projectId: string): Promise<SocketClient> {
    const token = tokenFor('user-io', { projects: [projectId] });
    const client = await SocketClient.connect(two.clientUrl, { token });
    client.socket.emit('subscribe.project', { project_id: projectId });
    await client.first('subscribed.project');
    return client;
  }
});
