import { upTo } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { notification, openPolicy, PublisherUnderTest } from './publisher-under-test.ts';

const invalid = { type: 'story_created', data: { story_id: 'STR-1' } };

test('[ACK] a published event is stored, and its position is in the answer', async () => {
  await using publisher = new PublisherUnderTest();
  const { status, json } = await publisher.post('/api/publish', notification);
  expect(status).toBe(200);
  expect(json).toEqual({
    message_id: expect.any(String),
    channel: 'project:PROJ-001',
    cursor: expect.stringMatching(/\.1$/),
    duplicate: false,
  });
  const page = await publisher.broker.history('project:PROJ-001', undefined, upTo(10));
  expect(page.publications[0]?.event).toMatchObject({
    type: 'notification',
    data: notification.data,
    message_id: json.message_id,
  });
  expect((await publisher.get('/api/ws/stats')).json.total_broadcasts).toBe(1);
});

test('a channel without history answers no cursor', async () => {
  await using publisher = new PublisherUnderTest();
  const event = { type: 'log_message', data: { level: 'info', message: 'Build iniciado' } };
  const { json } = await publisher.post('/api/publish', event);
  expect(json).toEqual({ message_id: expect.any(String), channel: 'logs', duplicate: false });
});

test.each([
  ['header', {}, { 'idempotency-key': 'k1' }],
  ['header, though the event has null', { idempotency_key: null }, { 'idempotency-key': 'k1' }],
  ['field', { idempotency_key: 'k1' }, {}],
] as const)('[ACK] an idempotency key in the %s makes a retry safe', async (_, field, headers) => {
  await using publisher = new PublisherUnderTest();
  const publish = () =>
    publisher.post('/api/publish', { ...notification, ...field }, { ...headers });
  const first = await publish();
  const second = await publish();
  expect(second.json).toEqual({ ...first.json, duplicate: true });
  const page = await publisher.broker.history('project:PROJ-001', undefined, upTo(10));
  expect(page.publications).toHaveLength(1);
  expect((await publisher.get('/api/ws/stats')).json.total_broadcasts).toBe(1);
});

test('[ACK] each item of a batch has a key of its own, so that each is stored once', async () => {
  await using publisher = new PublisherUnderTest();
  const publish = () =>
    publisher.post('/api/publish', [notification, notification], { 'idempotency-key': 'k' });
  const first = await publish();
  const second = await publish();
  const of = (answer: typeof first) =>
    answer.json.results.map(({ cursor, duplicate }: { cursor: string; duplicate: boolean }) => [
      cursor.split('.')[1],
      duplicate,
    ]);
  expect(of(first)).toEqual([
    ['1', false],
    ['2', false],
  ]);
  expect(of(second)).toEqual([
    ['1', true],
    ['2', true],
  ]);
});

test('[EV3] data may have fields of any name, also names that have a meaning in JavaScript', async () => {
  await using publisher = new PublisherUnderTest();
  const data = '{"__proto__":{"admin":true},"constructor":{"prototype":{"x":1}}}';
  const { status } = await publisher.post('/api/publish', `{"type":"x","data":${data}}`);
  expect(status).toBe(200);
  const page = await publisher.broker.history('all', undefined, upTo(10));
  const [stored] = page.publications;
  expect(Buffer.from(stored?.body ?? []).toString()).toContain(`"data":${data}`);
  expect(({} as { admin?: boolean }).admin).toBeUndefined();
});

test('[EV1.5] a batch may be larger than one event, and an indented event larger than its stored form', async () => {
  await using publisher = new PublisherUnderTest();
  const event = { type: 'x', data: { text: 'x'.repeat(500), list: [1, 2, 3] } };
  const batch = Array(10).fill(event);
  expect((await publisher.post('/api/publish', batch)).json.results).toHaveLength(10);
  expect((await publisher.post('/api/publish', JSON.stringify(event, null, 10))).status).toBe(200);
});

test('[EV1] a field named __proto__ is refused like any unknown field', async () => {
  await using publisher = new PublisherUnderTest();
  const { status, json } = await publisher.post(
    '/api/publish',
    '{"type":"x","data":{},"__proto__":{"project_id":"P"}}',
    { 'idempotency-key': 'k' },
  );
  expect(status).toBe(400);
  expect(json.errors).toEqual([{ field: '__proto__', message: 'is not a known field' }]);
});

test('[EV5.3] the keys of the items of a batch differ from the keys of single events', async () => {
  await using publisher = new PublisherUnderTest();
  const withKey = (key: string) => ({ 'idempotency-key': key });
  await publisher.post('/api/publish', [notification], withKey('k'));
  for (const key of ['k', 'k:0']) {
    const { json } = await publisher.post('/api/publish', notification, withKey(key));
    expect(json.duplicate).toBe(false);
  }
});

test('[EV5.2] [ACK] one idempotency key in two channels stores one event in each', async () => {
  await using publisher = new PublisherUnderTest();
  const publish = async (project_id: string) => {
    const event = { type: 'x', data: {}, project_id, idempotency_key: 'k' };
    return (await publisher.post('/api/publish', event)).json.duplicate;
  };
  const duplicates = [];
  for (const project of ['P', 'Q', 'P', 'Q']) duplicates.push(await publish(project));
  expect(duplicates).toEqual([false, false, true, true]);
});

test('a body without the content type of JSON is refused, and the refusal names that type', async () => {
  await using publisher = new PublisherUnderTest();
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const { status, json } = await publisher.post('/api/publish', notification, form);
  expect(status).toBe(415);
  expect(json).toMatchObject({
    code: 'unsupported_media_type',
    detail: 'send JSON, with Content-Type: application/json',
  });
});

test('a key that is too long is refused, not cut', async () => {
  await using publisher = new PublisherUnderTest();
  const { status, json } = await publisher.post('/api/publish', notification, {
    'idempotency-key': 'k'.repeat(201),
  });
  expect(status).toBe(400);
  expect(json.errors).toEqual([{ field: 'Idempotency-Key', message: expect.any(String) }]);
});

test('an invalid event is refused with its fields, and is not stored', async () => {
  await using publisher = new PublisherUnderTest();
  const { status, headers, json } = await publisher.post('/api/publish', invalid);
  expect(status).toBe(400);
  expect(headers['content-type']).toMatch('application/problem+json');
  expect(json).toEqual({
    type: 'about:blank',
    title: 'invalid event',
    status: 400,
    detail: 'data.title is required; data.project_id is required',
    code: 'invalid_event',
    errors: [
      { field: 'data.title', message: 'is required' },
      { field: 'data.project_id', message: 'is required' },
    ],
  });
  expect(publisher.counters).toMatchObject({ stored: 0, refused: 1 });
});

test('in a batch only the invalid items are refused, and the others are stored in order', async () => {
  await using publisher = new PublisherUnderTest();
  const large = { ...notification, data: { ...notification.data, more: 'x'.repeat(1_000) } };
  const { status, json } = await publisher.post('/api/publish', [
    notification,
    invalid,
    large,
    null,
    notification,
  ]);
  expect(status).toBe(200);
  const of = ({ status, cursor, problem }: Record<string, string & { code: string }>) =>
    status === 'stored' ? cursor?.split('.')[1] : problem?.code;
  expect(json.results.map(of)).toEqual([
    '1',
    'invalid_event',
    'payload_too_large',
    'invalid_event',
    '2',
  ]);
});

test('[ORD] a batch of 1,000 is stored in its order', async () => {
  await using publisher = new PublisherUnderTest();
  const batch = Array.from({ length: 1_000 }, (_, index) => ({
    type: 'tick',
    data: { index },
    channel: 'all',
  }));
  const { json } = await publisher.post('/api/publish', batch);
  const offsets = json.results.map(({ cursor }: { cursor: string }) => cursor.split('.')[1]);
  expect(offsets).toEqual(batch.map((_, index) => String(index + 1)));
  const page = await publisher.broker.history('all', undefined, upTo(1_000));
  expect(page.publications.map(({ event }) => event['data'])).toEqual(
    batch.map(({ data }) => data),
  );
});

test.each([0, 1_001])('a batch of %i is refused as a whole', async (length) => {
  const batch = Array.from({ length }, () => notification);
  await using publisher = new PublisherUnderTest();
  const { status, json } = await publisher.post('/api/publish', batch);
  expect(status).toBe(400);
  expect(json.detail).toBe(`a batch has 1 to 1000 events, this one has ${length}`);
});

test.each(['/api/publish', '/api/ws/broadcast'])('%s: one event that is too large', async (url) => {
  await using publisher = new PublisherUnderTest();
  const event = { type: 'tick', data: { text: 'x'.repeat(1_000) } };
  const { status, json } = await publisher.post(url, event);
  expect(status).toBe(413);
  expect(json).toMatchObject({ code: 'payload_too_large', status: 413 });
  expect(json.detail).toContain('at most 1000 bytes (MAX_EVENT_SIZE)');
});

test('a body that is too large is refused before it is read', async () => {
  const limits = { ...openPolicy.limits, maxBatchBytes: 2_000 };
  await using publisher = new PublisherUnderTest({ ...openPolicy, limits });
  const { status, headers, json } = await publisher.post('/api/publish', 'x'.repeat(2_001));
  expect(status).toBe(413);
  expect(headers['content-type']).toMatch('application/problem+json');
  expect(json).toMatchObject({
    code: 'payload_too_large',
    detail: 'the body of a request that publishes has at most 2000 bytes (MAX_BATCH_SIZE)',
  });
});

test.each(['/api/publish', '/api/ws/broadcast'])(
  '[LIVE] %s refuses a single event with far too much text before it is parsed',
  async (url) => {
    await using publisher = new PublisherUnderTest();
    const { status, json } = await publisher.post(url, '{"type":'.padEnd(8_001));
    expect({ status, code: json.code }).toEqual({ status: 413, code: 'payload_too_large' });
  },
);

const deep = `{"type":"t","data":{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`;

test.each([
  ['nothing', '', 'invalid_json'],
  ['no JSON', '{', 'invalid_json'],
  ['a poisoned prototype', '{"__proto__":{}}', 'invalid_event'],
  ['null', 'null', 'invalid_event'],
  ['a number', '7', 'invalid_event'],
  ['a text', '"text"', 'invalid_event'],
  ['an empty object', '{}', 'invalid_event'],
  ['50,000 levels', deep, 'invalid_event'],
])('a body of %s is a problem, not a failure', async (_, body, code) => {
  const limits = { ...openPolicy.limits, maxEventBytes: 65_536 };
  await using publisher = new PublisherUnderTest({ ...openPolicy, limits });
  for (const url of ['/api/publish', '/api/ws/broadcast']) {
    const { status, json } = await publisher.post(url, body);
    expect({ status, code: json.code }).toEqual({ status: 400, code });
  }
  expect(publisher.facts).toEqual([]);
});

test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml'])(
  'a body of type %s is not read',
  async (type) => {
    await using publisher = new PublisherUnderTest();
    const body = JSON.stringify(notification);
    const { status, json } = await publisher.post('/api/publish', body, { 'content-type': type });
    expect({ status, code: json.code }).toEqual({ status: 415, code: 'unsupported_media_type' });
  },
);

test('broadcast answers the number of sessions in the cluster that get the event', async () => {
  await using publisher = new PublisherUnderTest();
  await publisher.state.join({ userConnectionsChanged: () => {} });
  publisher.state.setSubscribers('project:PROJ-001', 2);
  publisher.state.setSubscribers('firehose', 1);
  publisher.state.setSubscribers('all', 5);
  const toProject = await publisher.post('/api/ws/broadcast', notification);
  expect(toProject.json).toEqual({
    sent_to: 3,
    message_id: expect.any(String),
    channel: 'project:PROJ-001',
    cursor: expect.stringMatching(/\.1$/),
  });
  const { project_id: _, ...forAll } = notification;
  const toAll = await publisher.post('/api/ws/broadcast', forAll);
  expect(toAll.json).toMatchObject({ sent_to: 5, channel: 'all' });
});
