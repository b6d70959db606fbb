import { upTo } from '@leque/testkit/fakes';
import { describe, expect, test } from 'vitest';
import { bearer, openPolicy, PublisherUnderTest, strictPolicy } from './publisher-under-test.ts';

const tick = { type: 'tick', data: {} };
const task = { taskId: 't', userId: 'victim', agentId: 'a' };

/** Every way in which an event can name a channel that the token `{projects: ['A']}` does not cover. */
const foreign = [
  { ...tick, channel: 'project:B' },
  { ...tick, project_id: 'B' },
  { type: 'story_created', data: { story_id: 'S', title: 'T', project_id: 'B' } },
  { ...tick, channel: 'user:victim' },
  { ...tick, user_id: 'victim' },
  { ...tick, user_id: 'victim', project_id: 'A' },
  { type: 'task.completed', data: task },
  { ...tick, channel: 'all' },
  { ...tick, channel: 'logs' },
  { type: 'log_message', data: { level: 'info', message: 'm' } },
];
const own = [
  [{ ...tick, channel: 'project:A' }, 'project:A'],
  [{ ...tick, project_id: 'A' }, 'project:A'],
  [{ type: 'story_deleted', data: { story_id: 'S', project_id: 'A' } }, 'project:A'],
  [{ ...tick, user_id: 'alice' }, 'user:alice'],
  [{ type: 'task.completed', data: { ...task, userId: 'alice' } }, 'user:alice'],
] as const;

describe('publishing is a right like reading', () => {
  test.each(foreign)('[PU1] [ISO] a token of project A may not publish %j', async (event) => {
    await using publisher = new PublisherUnderTest(strictPolicy);
    const headers = await bearer(['publish'], ['A']);
    for (const url of ['/api/publish', '/api/ws/broadcast']) {
      const { status, json } = await publisher.post(url, event, headers);
      expect({ status, code: json.code }).toEqual({ status: 403, code: 'forbidden' });
      expect(json.detail).toMatch(
        /^this token does not allow publishing to \S+; the scope publish:all/,
      );
    }
    const live = await publisher.post('/api/publish', { ...event, live: true }, headers);
    expect([live.status, live.json.code]).toEqual([403, 'forbidden']);
    expect(publisher.counters).toMatchObject({ stored: 0, live: 0, refused: 3 });
    for (const rights of [await bearer(['publish:all']), { 'x-api-key': 'a-key' }]) {
      expect((await publisher.post('/api/publish', event, rights)).status).toBe(200);
    }
  });

  test.each(own)('[PU1] a token of project A may publish %j', async (event, channel) => {
    await using publisher = new PublisherUnderTest(strictPolicy);
    const headers = await bearer(['publish'], ['A']);
    const { status, json } = await publisher.post('/api/publish', event, headers);
    expect({ status, channel: json.channel }).toEqual({ status: 200, channel });
    expect(json).not.toHaveProperty('warning');
  });

  test('[PU1] [ISO] in a batch each event is judged by itself', async () => {
    await using publisher = new PublisherUnderTest(strictPolicy);
    const batch = [{ ...tick, project_id: 'A' }, { ...tick, project_id: 'B' }, tick];
    const { status, json } = await publisher.post(
      '/api/publish',
      batch,
      await bearer(['publish'], ['A']),
    );
    expect(status).toBe(200);
    const codes = json.results.map((item: { status: string; problem?: { code: string } }) => [
      item.status,
      item.problem?.code,
    ]);
    expect(codes).toEqual([
      ['stored', undefined],
      ['refused', 'forbidden'],
      ['refused', 'invalid_event'],
    ]);
  });
});

describe('an idempotency key belongs to its caller', () => {
  test('[EV5.4] [ISO] nobody gets the result of another caller', async () => {
    await using publisher = new PublisherUnderTest(strictPolicy);
    const callers = [
      await bearer(['publish'], ['A'], 'alice'),
      await bearer(['publish'], ['A'], 'bob'),
      { 'x-api-key': 'a-key' },
      { 'x-api-key': 'another-key' },
    ];
    const publish = async (headers: Record<string, string>) => {
      const event = { ...tick, project_id: 'A', idempotency_key: 'k' };
      return (await publisher.post('/api/publish', event, headers)).json;
    };
    const first = [];
    for (const caller of callers) first.push(await publish(caller));
    expect(first.map(({ duplicate }) => duplicate)).toEqual([false, false, false, false]);
    for (const [index, caller] of callers.entries()) {
      expect(await publish(caller)).toEqual({ ...first[index], duplicate: true });
    }
    const page = await publisher.broker.history('project:A', undefined, upTo(10));
    expect(page.publications).toHaveLength(4);
  });

  test('[EV5.4] a fresh token of the same user, in another header, is the same caller', async () => {
    await using publisher = new PublisherUnderTest(strictPolicy);
    const publish = async (key: object, headers: object) => {
      const rights = await bearer(['publish', 'stats'], ['A', 'B'], 'alice');
      const event = { ...tick, project_id: 'A', ...key };
      return (await publisher.post('/api/publish', event, { ...rights, ...headers })).json;
    };
    const stored = await publish({ idempotency_key: 'k' }, {});
    expect(await publish({}, { 'idempotency-key': 'k' })).toEqual({ ...stored, duplicate: true });
  });
});

describe('an event that names nobody', () => {
  const everywhere = { 'x-api-key': 'a-key' };

  test('[RT.4] is refused by name where tokens are required', async () => {
    await using publisher = new PublisherUnderTest(strictPolicy);
    const { status, json } = await publisher.post('/api/publish', tick, everywhere);
    expect(status).toBe(400);
    expect(json.errors).toEqual([{ field: 'channel', message: expect.stringMatching('"all"') }]);
    const said = await publisher.post('/api/publish', { ...tick, channel: 'all' }, everywhere);
    expect(said.json).toMatchObject({ channel: 'all', duplicate: false });
    expect(said.json).not.toHaveProperty('warning');
  });

  test.each([
    ['POST /api/publish in open mode', openPolicy, '/api/publish'],
    ['POST /api/ws/broadcast in open mode', openPolicy, '/api/ws/broadcast'],
    ['POST /api/ws/broadcast where tokens are required', strictPolicy, '/api/ws/broadcast'],
  ])('[RT.4] goes to everybody by %s, with a warning and one line in the log', async (...row) => {
    const [, policy, url] = row;
    await using publisher = new PublisherUnderTest(policy);
    for (let time = 0; time < 3; time += 1) {
      const { status, json } = await publisher.post(url, tick, everywhere);
      expect({ status, channel: json.channel }).toEqual({ status: 200, channel: 'all' });
      expect(json.warning).toMatch('named nobody');
    }
    const noted = { type: 'event_unaddressed', eventType: 'tick', caller: 'an API key' };
    expect(publisher.facts).toEqual([noted]);
  });

  test('[RT.3] of a type for one user goes nowhere, whatever the mode', async () => {
    await using publisher = new PublisherUnderTest();
    for (const url of ['/api/publish', '/api/ws/broadcast']) {
      for (const channel of [undefined, 'all', 'logs']) {
        const event = { type: 'task.archived', data: {}, channel };
        expect((await publisher.post(url, event)).status).toBe(400);
      }
    }
  });
});
