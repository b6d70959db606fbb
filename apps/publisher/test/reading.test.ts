import { expect, test } from 'vitest';
import { notification, openPolicy, PublisherUnderTest } from './publisher-under-test.ts';

async function withSessions(policy = openPolicy) {
  const publisher = new PublisherUnderTest(policy);
  const { state } = publisher;
  await state.join({ userConnectionsChanged: () => {} });
  state.setConnections(5);
  state.setSubscribers('project:PROJ-001', 3);
  state.setSubscribers('project:PROJ-002', 2);
  state.setSubscribers('firehose', 1);
  state.addTotals({ connections: 150, messagesSent: 1234, broadcasts: 89 });
  return publisher;
}

test('GET stats answers in the shape of the earlier system', async () => {
  await using publisher = await withSessions();
  expect((await publisher.get('/api/ws/stats')).json).toEqual({
    active_connections: 5,
    active_projects: 2,
    total_connections: 150,
    total_messages_sent: 1234,
    total_broadcasts: 89,
    connections_per_project: { 'PROJ-001': 3, 'PROJ-002': 2 },
  });
});

test('GET connections counts the open connections', async () => {
  await using publisher = await withSessions();
  expect((await publisher.get('/api/ws/connections')).json).toEqual({ count: 5 });
});

test('GET subscribers counts the subscribers of the project and of the firehose', async () => {
  await using publisher = await withSessions();
  const { json } = await publisher.get('/api/ws/project/PROJ-001/subscribers');
  expect(json).toEqual({ project_id: 'PROJ-001', subscribers: 4 });
});

test('GET subscribers counts no firehose subscribers while the firehose is off', async () => {
  await using publisher = await withSessions({ ...openPolicy, firehose: false });
  const { json } = await publisher.get('/api/ws/project/PROJ-001/subscribers');
  expect(json).toEqual({ project_id: 'PROJ-001', subscribers: 3 });
});

test.each(['a%0Ab', '*', `${'x'.repeat(257)}`, '%C2%85'])(
  'GET subscribers of %s is refused, and the refusal names the field',
  async (id) => {
    await using publisher = await withSessions();
    const { status, json } = await publisher.get(`/api/ws/project/${id}/subscribers`);
    expect(status).toBe(400);
    expect(json).toMatchObject({
      code: 'invalid_request',
      errors: [
        {
          field: 'project_id',
          message:
            'must be a text of 1 to 256 bytes in UTF-8 without control characters, or a whole number',
        },
      ],
    });
  },
);

test('GET subscribers accepts the longest id', async () => {
  await using publisher = await withSessions();
  const id = '漢'.repeat(85);
  const url = `/api/ws/project/${encodeURIComponent(id)}/subscribers`;
  expect((await publisher.get(url)).json).toEqual({ project_id: id, subscribers: 1 });
});

test('GET history answers envelopes as clients get them, after a cursor or the newest', async () => {
  await using publisher = await withSessions();
  for (const id of ['m1', 'm2', 'm3']) {
    await publisher.post('/api/publish', { ...notification, message_id: id });
  }
  const url = '/api/channels/project:PROJ-001/history';
  const { json: newest } = await publisher.get(`${url}?limit=2`);
  const ids = (page: typeof newest) =>
    page.publications.map(({ message_id: id }: { message_id: string }) => id);
  expect(ids(newest)).toEqual(['m2', 'm3']);
  expect(newest).toMatchObject({ channel: 'project:PROJ-001', complete: true });
  expect(newest.publications[1]).toEqual({
    type: 'notification',
    data: notification.data,
    timestamp: expect.any(String),
    message_id: 'm3',
    project_id: 'PROJ-001',
    channel: 'project:PROJ-001',
    cursor: newest.cursor,
  });
  const since = newest.publications[0].cursor;
  expect(ids((await publisher.get(`${url}?since=${since}`)).json)).toEqual(['m3']);
  const lost = await publisher.get(`${url}?since=another.1`);
  expect(lost.json).toMatchObject({ complete: false, more: false, publications: [] });
});

test('[GAP] GET history reads page by page, and reports whether there is more', async () => {
  await using publisher = await withSessions();
  const url = '/api/channels/project:PROJ-001/history';
  const published = ['m1', 'm2', 'm3', 'm4', 'm5'];
  for (const id of published) {
    await publisher.post('/api/publish', { ...notification, message_id: id });
  }
  const [first] = (await publisher.get(`${url}?limit=5`)).json.publications;
  const pages: string[][] = [];
  for (let since = first.cursor, more = true; more; ) {
    const { json } = await publisher.get(`${url}?since=${since}&limit=2`);
    expect(json.complete).toBe(true);
    pages.push(json.publications.map(({ message_id: id }: { message_id: string }) => id));
    ({ more } = json);
    since = json.publications.at(-1).cursor;
  }
  expect(pages).toEqual([
    ['m2', 'm3'],
    ['m4', 'm5'],
  ]);
});

test.each([
  [
    '/api/channels/nowhere/history',
    'channel',
    'must be all, logs, firehose, project:ID or user:ID',
  ],
  ['/api/channels/all/history?since=x', 'since', 'is not a cursor'],
  ['/api/channels/all/history?limit=0', 'limit', 'must be >= 1'],
  ['/api/channels/all/history?limit=1001', 'limit', 'must be <= 1000'],
  ['/api/channels/all/history?limit=many', 'limit', 'must be integer'],
])('%s is refused with the field', async (url, field, message) => {
  await using publisher = await withSessions();
  const { status, json } = await publisher.get(url);
  expect(status).toBe(400);
  expect(json.errors).toEqual([{ field, message }]);
});

test.each(['/nowhere', '/api/nowhere', '/api/publish', '/api/%zz'])(
  'GET %s answers with a problem document',
  async (url) => {
    await using publisher = await withSessions();
    const { status, headers, json } = await publisher.get(url);
    expect(status).toBe(url.endsWith('zz') ? 400 : 404);
    expect(headers['content-type']).toMatch('application/problem+json');
    expect(json).toMatchObject({ status, type: 'about:blank', code: expect.any(String) });
  },
);

test('the documentation is an OpenAPI document with the examples of the seeds, and a page', async () => {
  await using publisher = await withSessions();
  const { json } = await publisher.get('/openapi.json');
  expect(json.openapi).toBe('3.1.0');
  expect(Object.keys(json.paths).sort()).toEqual([
    '/api/channels/{channel}/cursor',
    '/api/channels/{channel}/history',
    '/api/grants',
    '/api/log-level',
    '/api/messages/{message_id}/trace',
    '/api/nodes',
    '/api/publish',
    '/api/ws/broadcast',
    '/api/ws/connections',
    '/api/ws/project/{project_id}/subscribers',
    '/api/ws/stats',
  ]);
  expect(JSON.stringify(json.paths)).toContain('Manutencao em 5 minutos');
  const page = await publisher.get('/docs/');
  expect(page.status).toBe(200);
  expect(page.text).toContain('swagger-ui');
});

test('the documentation can be turned off, and no page may frame it when it is on', async () => {
  await using publisher = new PublisherUnderTest();
  const { headers } = await publisher.get('/docs/');
  expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
  await using silent = new PublisherUnderTest({ ...openPolicy, docs: false });
  for (const path of ['/docs', '/docs/', '/docs/json', '/docs/listen', '/openapi.json']) {
    expect((await silent.get(path)).status).toBe(404);
  }
});

test('in open mode the API is not served under a name that anybody may point here', async () => {
  const origins = { allowed: [], loopback: true, hosts: ['leque.test'] };
  await using publisher = new PublisherUnderTest({ ...openPolicy, origins });
  const statusUnder = async (host: string) =>
    (await publisher.get('/api/ws/stats', { host })).status;
  expect(await statusUnder('evil.test')).toBe(403);
  expect(await statusUnder('evil.test:9100')).toBe(403);
  expect(await statusUnder('leque.test')).toBe(200);
  expect(await statusUnder('127.0.0.1:9100')).toBe(200);
});
