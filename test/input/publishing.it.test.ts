import { get, post, RawClient, wsUrl } from '@leque/lab';
import { describe, expect, test } from 'vitest';
import { expectOneStory, historyOf, story } from '../support/stories.ts';
import { useTwoNodes } from '../support/two-nodes.ts';

/** Counts are correct within a second; twice that allows for a busy machine. */
const SOON = { timeout: 2000, interval: 25 };
const CURSOR = /^([a-z0-9]+)\.(\d+)$/;

describe('publishing by', () => {
  const two = useTwoNodes({ EVENT_SCHEMAS: 'strict' });

  const publish = (body: unknown, headers?: Record<string, string>) =>
    post(`${two.publishUrl}/api/publish`, body, headers);
  const watch = (projectId: string) =>
    RawClient.connect(wsUrl(two.clientUrl, `/ws/project/${projectId}`));

  describe('POST /api/publish', () => {
    test('[ACK] answers one event with its message id, channel and cursor', async () => {
      await using client = await watch('PROJ-one');
      const { status, body } = await publish(story('PROJ-one'));
      expect(status).toBe(200);
      expect(body).toEqual({
        message_id: expect.any(String),
        channel: 'project:PROJ-one',
        cursor: expect.stringMatching(CURSOR),
        duplicate: false,
      });
      const { message_id, channel, cursor } = await client.first('story_created');
      expect({ message_id, channel, cursor, duplicate: false }).toEqual(body);
    });

    test('accepts the earlier `event_type` in place of `type`', async () => {
      await using client = await watch('PROJ-type');
      const { type, ...rest } = story('PROJ-type');
      expect((await publish({ ...rest, event_type: type })).status).toBe(200);
      expect(await client.first(type)).toMatchObject({ type, data: rest.data });
    });

    test('routes by channel, then user, then project, then type', async () => {
      const data = { level: 'info', message: 'routed' };
      const channelOf = async (event: object) => (await publish(event)).body['channel'];
      const ids = { user_id: 'u1', project_id: 'P1' };
      expect(await channelOf({ type: 'x', data, ...ids, channel: 'all' })).toBe('all');
      expect(await channelOf({ type: 'x', data, ...ids })).toBe('user:u1');
      expect(await channelOf({ type: 'x', data, project_id: 'P1' })).toBe('project:P1');
      expect(await channelOf({ type: 'log_message', data })).toBe('logs');
      expect(await channelOf({ type: 'x', data })).toBe('all');
    });

    test('[ORD] [GAP] stores 1,000 events in one call in order and without holes', async () => {
      await using client = await watch('PROJ-batch');
      const batch = Array.from({ length: 1000 }, (_, n) => ({
        type: 'numbered',
        project_id: 'PROJ-batch',
        data: { n },
      }));
      const { status, body } = await publish(batch);
      expect(status).toBe(200);
      const results = body['results'] as Record<string, unknown>[];
      expect(new Set(results.map((result) => result['status']))).toEqual(new Set(['stored']));
      const offsets = results.map(({ cursor }) => Number(CURSOR.exec(String(cursor))?.[2]));
      expect(offsets).toEqual(batch.map((_, index) => index + 1));
      await client.first(({ data }) => data['n'] === 999);
      expect(client.all('numbered').map(({ data }) => data['n'])).toEqual(
        batch.map(({ data }) => data.n),
      );
      expect(client.all('numbered').map(({ cursor }) => cursor)).toEqual(
        results.map(({ cursor }) => cursor),
      );
    });

    test('refuses only the bad events of a batch and names their fields', async () => {
      await using client = await watch('PROJ-mixed');
      const { status, body } = await publish([
        story('PROJ-mixed', 'first'),
        { type: 'story_created', project_id: 'PROJ-mixed', data: { story_id: 'S' } },
        'no event',
        { type: 'bad type!', data: {} },
        story('PROJ-mixed', 'last'),
      ]);
      expect(status).toBe(200);
      const results = body['results'] as { status: string; problem?: object; cursor?: string }[];
      const [stored, refused] = ['stored', 'refused'];
      const expected = [stored, refused, refused, refused, stored];
      expect(results.map((result) => result.status)).toEqual(expected);
      expect(JSON.stringify(results[1]?.problem)).toContain('data.title');
      expect(JSON.stringify(results[3]?.problem)).toContain('"field":"type"');
      await client.first(({ data }) => data['title'] === 'last');
      const titles = client.all('story_created').map(({ data }) => data['title']);
      expect(titles).toEqual(['first', 'last']);
      expect(CURSOR.exec(String(results[4]?.cursor))?.[2]).toBe('2');
    });

    test('refuses a batch of 1,001 events and an empty batch as a whole', async () => {
      const event = { type: 'x', project_id: 'PROJ-too-many', data: {} };
      for (const batch of [new Array(1001).fill(event), []]) {
        const { status, headers } = await publish(batch);
        expect(status).toBe(400);
        expect(headers.get('content-type')).toContain('application/problem+json');
      }
      expect(await historyOf(two.publishUrl, 'PROJ-too-many')).toEqual([]);
    });

    test('refuses a bad event with a problem document that names the field, and stores nothing', async () => {
      const bad: [string, object][] = [
        ['data.story_id', { ...story('PROJ-bad'), data: { title: 't', project_id: 'P' } }],
        ['type', { project_id: 'PROJ-bad', data: {} }],
        ['type', { ...story('PROJ-bad'), type: 'x'.repeat(65) }],
        ['type', { ...story('PROJ-bad'), type: 'connection' }],
        ['data', { type: 'x', project_id: 'PROJ-bad' }],
        ['data', { type: 'x', project_id: 'PROJ-bad', data: 'text' }],
        ['project_id', { type: 'x', project_id: 'not\nan id', data: {} }],
        ['user_id', { type: 'x', user_id: 'x'.repeat(257), data: {} }],
        ['timestamp', { ...story('PROJ-bad'), timestamp: 'yesterday' }],
        ['channel', { ...story('PROJ-bad'), channel: 'firehose' }],
        ['data.level', { type: 'log_message', data: { level: 'loud', message: 'm' } }],
        ['data.progress', { type: 'job_progress', data: { job_id: 'J', progress: 101 } }],
        ['colour', { ...story('PROJ-bad'), colour: 'red' }],
      ];
      for (const [field, event] of bad) {
        const { status, headers, body } = await publish(event);
        expect({ field, status }).toEqual({ field, status: 400 });
        expect(headers.get('content-type')).toContain('application/problem+json');
        expect(body).toMatchObject({ status: 400, title: expect.any(String) });
        expect(body['errors']).toContainEqual({ field, message: expect.any(String) });
      }
      expect(await historyOf(two.publishUrl, 'PROJ-bad')).toEqual([]);
    });

    test('[EV5.1] [ACK] stores and delivers once when retried with the same idempotency key in the header', async () => {
      await using client = await watch('PROJ-header');
      const headers = { 'idempotency-key': 'order-7' };
      const first = await publish(story('PROJ-header'), headers);
      const second = await publish(story('PROJ-header'), headers);
      expect(second.body).toEqual({ ...first.body, duplicate: true });
      await expectOneStory(client, two.publishUrl, 'PROJ-header');
    });

    test('[ACK] stores and delivers once when retried with the same idempotency key in the event', async () => {
      await using client = await watch('PROJ-field');
      const event = { ...story('PROJ-field'), idempotency_key: 'order-8' };
      const [first, second] = await Promise.all([publish(event), publish([event])]);
      const [again] = second.body['results'] as Record<string, unknown>[];
      expect(first.body['cursor']).toBe(again?.['cursor']);
      expect([first.body['duplicate'], again?.['duplicate']].sort()).toEqual([false, true]);
      await expectOneStory(client, two.publishUrl, 'PROJ-field');
    });

    test('[ACK] stores nothing twice when a batch is retried with its `Idempotency-Key`', async () => {
      await using client = await watch('PROJ-again');
      const batch = ['a', 'b', 'c'].map((title) => story('PROJ-again', title));
      const headers = { 'idempotency-key': 'batch-1' };
      await publish(batch, headers);
      const { body } = await publish(batch, headers);
      expect(body['results']).toMatchObject(batch.map(() => ({ duplicate: true })));
      await publish({ type: 'end', project_id: 'PROJ-again', data: {} });
      await client.first('end');
      expect(client.all('story_created').map(({ data }) => data['title'])).toEqual(['a', 'b', 'c']);
    });
  });

  describe('POST /api/ws/broadcast', () => {
    test('[CNT] answers with `sent_to`, the number of subscribers in the whole cluster', async () => {
      await using stack = new AsyncDisposableStack();
      for (const url of [two.clientUrl, two.clientUrl, two.publishUrl]) {
        stack.use(await RawClient.connect(wsUrl(url, '/ws/project/PROJ-sent')));
      }
      const members = async () =>
        (await get(`${two.publishUrl}/api/ws/project/PROJ-sent/subscribers`)).body['subscribers'];
      await expect.poll(members, SOON).toBe(3);
      const event = { event_type: 'deploy', data: { ok: true }, project_id: 'PROJ-sent' };
      const { status, body } = await post(`${two.publishUrl}/api/ws/broadcast`, event);
      expect(status).toBe(200);
      expect(body).toEqual({
        sent_to: 3,
        message_id: expect.any(String),
        channel: 'project:PROJ-sent',
        cursor: expect.stringMatching(CURSOR),
      });
    });
  });
});
