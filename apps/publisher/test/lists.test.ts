import { type Published, systemClock } from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import { upTo } from '@leque/testkit/fakes';
import { describe, expect, test } from 'vitest';
import { bearer, openPolicy, PublisherUnderTest, strictPolicy } from './publisher-under-test.ts';

const moved = { type: 'meeting_moved', data: { meeting: 42 } };
const users = (count: number) => Array.from({ length: count }, (_, n) => `u${n}`);

async function storedIn(publisher: PublisherUnderTest, channel: string) {
  const { publications } = await publisher.broker.history(channel, undefined, upTo(10));
  return publications.map(({ event }) => event);
}

describe('an event with lists', () => {
  test('[EV8] is stored in every channel, with a result for each in order', async () => {
    await using publisher = new PublisherUnderTest();
    const event = { ...moved, user_ids: ['alice', 7], project_ids: ['P'], story_id: 'S' };
    const { status, json } = await publisher.post('/api/publish', event);
    expect(status).toBe(200);
    const { message_id } = json;
    expect(json).toEqual({
      message_id: expect.any(String),
      results: ['user:alice', 'user:7', 'project:P'].map((channel) => ({
        status: 'stored',
        message_id,
        channel,
        cursor: expect.stringMatching(/\.1$/),
        duplicate: false,
      })),
    });
    expect(await storedIn(publisher, 'user:7')).toEqual([
      { ...moved, timestamp: expect.any(String), message_id, story_id: 'S', user_id: '7' },
    ]);
    expect(publisher.counters.stored).toBe(3);
    expect((await publisher.get('/api/ws/stats')).json.total_broadcasts).toBe(3);
  });

  test('[EV8.3] [ACK] is stored once, as a whole and in each channel, with the same id', async () => {
    await using publisher = new PublisherUnderTest();
    const key = { 'idempotency-key': 'k' };
    const publish = (ids: readonly string[]) =>
      publisher.post('/api/publish', { ...moved, user_ids: ids }, key);
    const first = (await publish(['a', 'b'])).json;
    const again = (await publish(['a', 'b', 'c'])).json;
    expect(again.message_id).toBe(first.message_id);
    const duplicates = again.results.map(({ duplicate }: { duplicate: boolean }) => duplicate);
    expect(duplicates).toEqual([true, true, false]);
    for (const user of ['a', 'b', 'c']) {
      const ids = (await storedIn(publisher, `user:${user}`)).map(({ message_id }) => message_id);
      expect(ids).toEqual([first.message_id]);
    }
    const other = await publisher.post('/api/publish', { ...moved, user_ids: ['a'] }, {});
    expect(other.json.results[0].duplicate).toBe(false);
  });

  test('[EV8.4] [PU1] is refused for the channels that its caller may not publish to, and for them alone', async () => {
    await using publisher = new PublisherUnderTest(strictPolicy);
    const rights = await bearer(['publish'], ['A', 'B'], 'alice');
    const event = { ...moved, user_ids: ['alice', 'bob'], project_ids: ['A', 'C'] };
    const { status, json } = await publisher.post('/api/publish', event, rights);
    expect(status).toBe(200);
    const outcomes = json.results.map(
      ({ status, channel, problem }: Record<string, { code: string }>) =>
        [channel, status, problem?.code].join(' ').trim(),
    );
    expect(outcomes).toEqual([
      'user:alice stored',
      'user:bob refused forbidden',
      'project:A stored',
      'project:C refused forbidden',
    ]);
    expect(await storedIn(publisher, 'user:bob')).toEqual([]);
    expect(publisher.counters).toMatchObject({ stored: 2, refused: 2 });
  });

  test('[EV8] is refused alone where its data names another recipient', async () => {
    await using publisher = new PublisherUnderTest();
    const data = { title: 't', message: 'm', user_id: 'a' };
    const event = { type: 'notification', data, user_ids: ['a', 'b'] };
    const { json } = await publisher.post('/api/publish', event);
    expect(json.results).toMatchObject([
      { status: 'stored', channel: 'user:a' },
      { status: 'refused', channel: 'user:b', problem: { code: 'invalid_event' } },
    ]);
  });

  test('[EV8.5] takes 2,000 recipients whose ids are longer than the event', async () => {
    const limits = { ...openPolicy.limits, maxEventBytes: 400 };
    await using publisher = new PublisherUnderTest({ ...openPolicy, limits });
    const ids = Array.from({ length: 2_000 }, (_, n) => `${'x'.repeat(60)}${n}`);
    const { status, json } = await publisher.post('/api/publish', { ...moved, user_ids: ids });
    expect(status).toBe(200);
    expect(json.results).toHaveLength(2_000);
    expect(await storedIn(publisher, `user:${ids[1_999]}`)).toHaveLength(1);
  });

  test('[EV8.5] [MEM] stores no more bytes than a batch may have, and says the limit and its variable', async () => {
    const limits = { ...openPolicy.limits, maxBatchBytes: 100_000 };
    await using publisher = new PublisherUnderTest({ ...openPolicy, limits });
    const event = { type: 'x', data: { text: 'x'.repeat(500) }, user_ids: users(300) };
    const { status, json } = await publisher.post('/api/publish', event);
    expect({ status, code: json.code }).toEqual({ status: 413, code: 'payload_too_large' });
    expect(json.detail).toContain('at most 100000 bytes together (MAX_BATCH_SIZE)');
    expect(await storedIn(publisher, 'user:u0')).toEqual([]);
  });

  test('[EV1.5] is refused where it is too large with the id of the recipient', async () => {
    await using publisher = new PublisherUnderTest();
    const event = { type: 'x', data: { text: 'x'.repeat(800) } };
    const long = 'y'.repeat(256);
    const { json } = await publisher.post('/api/publish', { ...event, user_ids: ['a', long] });
    expect(json.results).toMatchObject([
      { status: 'stored' },
      { status: 'refused', problem: { code: 'payload_too_large' } },
    ]);
    expect(json.results[1].problem.detail).toContain('at most 1000 bytes (MAX_EVENT_SIZE)');
  });

  test('[EV7] may be live only, with the key of the request for the others', async () => {
    await using publisher = new PublisherUnderTest();
    const event = { ...moved, user_ids: ['a', 'b'], live: true };
    const key = { 'idempotency-key': 'k' };
    const { status, json } = await publisher.post('/api/publish', event, key);
    expect(status).toBe(200);
    const { message_id } = json;
    expect(json.results).toEqual(
      ['user:a', 'user:b'].map((channel) => {
        return { status: 'live', message_id, channel, live: true, duplicate: false };
      }),
    );
    expect(await storedIn(publisher, 'user:a')).toEqual([]);
    expect(publisher.counters).toMatchObject({ stored: 0, live: 2 });
    const batch = await publisher.post('/api/publish', [event]);
    expect(batch.json.results).toMatchObject([{ status: 'live', message_id: expect.any(String) }]);
  });

  test('[EV3] has the warnings of its data once', async () => {
    await using publisher = new PublisherUnderTest({ ...openPolicy, schemas: 'warn' });
    const event = { type: 'notification', data: { title: 't' }, user_ids: ['a', 'b'] };
    const { json } = await publisher.post('/api/publish', event);
    expect(json.warnings).toEqual([{ field: 'data.message', message: 'is required' }]);
    expect(json.results).toHaveLength(2);
  });

  test('[EV8.1] that is wrong is refused as a whole, by field', async () => {
    await using publisher = new PublisherUnderTest();
    for (const [fields, field] of [
      [{ user_ids: [] }, 'user_ids'],
      [{ user_ids: ['a', 'a'] }, 'user_ids.1'],
      [{ user_ids: ['a'], user_id: 'b' }, 'user_id'],
    ] as const) {
      const { status, json } = await publisher.post('/api/publish', { ...moved, ...fields });
      expect({ status, field: json.errors?.[0]?.field }).toEqual({ status: 400, field });
    }
    const body = { ...moved, user_ids: ['a'] };
    expect((await publisher.post('/api/ws/broadcast', body)).status).toBe(400);
  });

  test('[LIVE] counts for the rate of its caller as often as it has recipients', async () => {
    const rates = { key: 0, user: 0, address: 10 };
    await using publisher = new PublisherUnderTest(
      { ...openPolicy, rates },
      { clock: systemClock },
    );
    const event = { ...moved, user_ids: users(90) };
    expect((await publisher.post('/api/publish', event)).status).toBe(200);
    expect((await publisher.post('/api/publish', event)).status).toBe(429);
  });
});

test('[EV8.2] a delivery report finds an event with lists in each of its channels', async () => {
  await using publisher = new PublisherUnderTest();
  const { json } = await publisher.post('/api/publish', { ...moved, user_ids: users(30) });
  const admin = await bearer(['admin']);
  for (const channel of ['user:u0', 'user:u29']) {
    const url = `/api/messages/${json.message_id}/trace?channel=${encodeURIComponent(channel)}`;
    const report = await publisher.get(url, admin);
    expect(report.json.published).toMatchObject({ channel, type: moved.type });
  }
});

describe('a batch with lists', () => {
  test('[EV8.6] [ORD] is stored in its order, with the results of each list in its place', async () => {
    await using publisher = new PublisherUnderTest();
    const at = (n: number) => ({ type: 'x', data: { n } });
    const { json } = await publisher.post('/api/publish', [
      { ...at(1), user_id: 'a' },
      { ...at(2), user_ids: ['a', 'b'] },
      { ...at(3), user_id: 'a' },
      { ...at(4), user_ids: ['b', 'a'] },
      { ...at(5), user_ids: ['*'] },
    ]);
    const statuses = json.results.map(({ status }: { status: string }) => status);
    expect(statuses).toEqual(['stored', 'stored', 'stored', 'stored', 'refused']);
    expect(json.results[1].results).toHaveLength(2);
    const numbers = async (channel: string) =>
      (await storedIn(publisher, channel)).map(({ data }) => (data as { n: number }).n);
    expect(await numbers('user:a')).toEqual([1, 2, 3, 4]);
    expect(await numbers('user:b')).toEqual([2, 4]);
  });

  test('[EV8.6] has at most 2,000 publications in all', async () => {
    await using publisher = new PublisherUnderTest();
    const event = { ...moved, user_ids: users(1_000) };
    const { status, json } = await publisher.post('/api/publish', [event, event, moved]);
    expect(status).toBe(400);
    expect(json.detail).toContain('at most 2000 events in all, this one has 2001');
    expect(await storedIn(publisher, 'user:u0')).toEqual([]);
  });
});

test.each([
  ['unavailable', 503],
  ['outcome_unknown', 503],
] as const)(
  '[ACK] a list whose channels are all %s is answered with %i, and with each result',
  async (code, expected) => {
    await using publisher = new PublisherUnderTest();
    const failing = Promise.reject(new ProtocolError(code, 'not now'));
    failing.catch(() => {});
    const publish = publisher.broker.publishToEach.bind(publisher.broker);
    publisher.broker.publishToEach = ({ channels }) =>
      channels.map(() => failing as Promise<Published>);
    const event = { ...moved, user_ids: ['a', 'b'], idempotency_key: 'k' };
    const { status, json } = await publisher.post('/api/publish', event);
    expect({ status, results: json.results.length }).toEqual({ status: expected, results: 2 });
    publisher.broker.publishToEach = (each, deadline) => {
      const [first, ...rest] = each.channels;
      const stored = publish({ ...each, channels: [first ?? ''] }, deadline);
      return [...stored, ...rest.map(() => failing as Promise<Published>)];
    };
    const partly = await publisher.post('/api/publish', event);
    expect(partly.status).toBe(200);
    const status2 = code === 'unavailable' ? 'unavailable' : 'unknown';
    expect(partly.json.results).toMatchObject([{ status: 'stored' }, { status: status2 }]);
    publisher.broker.publishToEach = (each, deadline) => publish(each, deadline);
    const whole = await publisher.post('/api/publish', event);
    expect(whole.json.results).toMatchObject([
      { status: 'stored', duplicate: true },
      { status: 'stored', duplicate: false },
    ]);
    expect(whole.json.message_id).toBe(partly.json.message_id);
  },
);
