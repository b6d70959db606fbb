import type { Broker, Published } from '@leque/core';
import { type Event, eventIn, ProtocolError } from '@leque/protocol';
import { expect, test } from 'vitest';
import { notification, PublisherUnderTest } from './publisher-under-test.ts';

const noConnection = async () => Promise.reject(new ProtocolError('unavailable', 'no connection'));

/** A broker of which only publishing and reading are asked, and which does what the test says. */
function brokerThat(publish: (event: Event) => Promise<Published>): Broker {
  const unused = async () => undefined;
  return {
    start: unused,
    subscribe: unused,
    unsubscribe: unused,
    publish,
    publishToEach: (event) => event.channels.map((channel) => publish(eventIn(event, channel))),
    history: noConnection,
    pageAfter: noConnection,
    top: noConnection,
    health: () => ({ ok: false, reason: 'no connection' }),
    close: unused,
  };
}

const away = brokerThat(() => Promise.reject(new ProtocolError('unavailable', 'no connection')));
const silent = brokerThat(() => new Promise(() => {}));
const broken = brokerThat(() => Promise.reject(new Error('a bug with a secret in it')));

test.each([
  { name: 'away', broker: away, status: 503, code: 'unavailable' },
  { name: 'silent', broker: silent, status: 503, code: 'outcome_unknown' },
  { name: 'broken', broker: broken, status: 500, code: 'internal' },
])('a broker that is $name: $code, one event or many', async ({ broker, status, code }) => {
  await using publisher = new PublisherUnderTest(undefined, { broker });
  const startedAt = performance.now();
  const one = await publisher.post('/api/publish', notification);
  const many = await publisher.post('/api/publish', [notification, {}, notification]);
  const broadcast = await publisher.post('/api/ws/broadcast', notification);
  expect(performance.now() - startedAt).toBeLessThan(3_000);
  for (const answer of [one, many, broadcast]) {
    expect({ status: answer.status, code: answer.json.code }).toEqual({ status, code });
    expect(answer.headers['content-type']).toMatch('application/problem+json');
    expect(answer.headers['retry-after']).toBe(status === 503 ? '1' : undefined);
    expect(answer.text).not.toContain('secret');
  }
  expect(many.json.results.map(({ status }: { status: string }) => status)).toEqual([
    code === 'unavailable' ? 'unavailable' : 'unknown',
    'refused',
    code === 'unavailable' ? 'unavailable' : 'unknown',
  ]);
  expect(publisher.counters).toMatchObject({ stored: 0, duplicates: 0, refused: 1, failed: 4 });
  expect(publisher.facts.length > 0).toBe(code === 'internal');
});

test('[GA1] without its broker the API gives neither a grant nor a cursor', async () => {
  const grants = { user_id: 'alice', projects: ['A', 'B'] };
  for (const [broker, detail] of [
    [away, 'no connection'],
    [{ ...silent, top: () => new Promise<never>(() => {}) }, 'no answer in time'],
  ] as const) {
    await using publisher = new PublisherUnderTest(undefined, { broker });
    for (const { status, headers, json } of [
      await publisher.post('/api/grants', grants),
      await publisher.get('/api/channels/project:A/cursor'),
    ]) {
      expect({ status, ...json }).toMatchObject({ status: 503, code: 'unavailable', detail });
      expect(headers['retry-after']).toBe('1');
    }
  }
});

test('a batch that was stored in part is answered with the outcome of each event', async () => {
  let calls = 0;
  const broker = brokerThat(async ({ messageId }) => {
    calls += 1;
    if (calls > 1) throw new ProtocolError('unavailable', 'no connection');
    return { messageId, position: { epoch: 'e', offset: 1 }, duplicate: false };
  });
  await using publisher = new PublisherUnderTest(undefined, { broker });
  const { status, json } = await publisher.post('/api/publish', [notification, notification]);
  expect(status).toBe(200);
  expect(json.results).toMatchObject([
    { status: 'stored', cursor: 'e.1' },
    { status: 'unavailable', problem: { code: 'unavailable', status: 503 } },
  ]);
});

test('[ORD] the events of a batch reach the broker in order, without waiting for one another', async () => {
  const seen: string[] = [];
  const broker = brokerThat(({ messageId }) => {
    seen.push(messageId);
    return new Promise(() => {});
  });
  await using publisher = new PublisherUnderTest(undefined, { broker });
  const ids = Array.from({ length: 50 }, (_, index) => `m-${index}`);
  const batch = ids.map((id) => ({ ...notification, message_id: id }));
  expect((await publisher.post('/api/publish', batch)).status).toBe(503);
  expect(seen).toEqual(ids);
});

test('a history that cannot be read', async () => {
  await using publisher = new PublisherUnderTest(undefined, { broker: away });
  const { status, json } = await publisher.get('/api/channels/all/history');
  expect({ status, code: json.code }).toEqual({ status: 503, code: 'unavailable' });
});

test('while the cluster state does not answer, broadcast publishes nothing', async () => {
  await using publisher = new PublisherUnderTest();
  publisher.state.subscribers = () => new Promise(() => {});
  publisher.state.stats = () => new Promise(() => {});
  const { status, json } = await publisher.post('/api/ws/broadcast', notification);
  expect({ status, code: json.code }).toEqual({ status: 503, code: 'unavailable' });
  expect(publisher.counters.stored).toBe(0);
  expect((await publisher.get('/api/ws/stats')).status).toBe(503);
});
