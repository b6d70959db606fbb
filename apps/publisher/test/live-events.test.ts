import { upTo } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { notification, PublisherUnderTest } from './publisher-under-test.ts';

const typing = { type: 'typing', data: { n: 1 }, project_id: 'P', live: true };
const stored = { type: 'message', data: { n: 2 }, project_id: 'P' };

test('[EV7.3] the answer to a live-only event says so, and has no cursor', async () => {
  await using publisher = new PublisherUnderTest();
  const { status, json } = await publisher.post('/api/publish', typing);
  expect([status, json]).toEqual([
    200,
    { message_id: expect.any(String), channel: 'project:P', duplicate: false, live: true },
  ]);
  const page = await publisher.broker.history('project:P', undefined, upTo(10));
  expect(page.publications).toEqual([]);
  expect((await publisher.get('/api/ws/stats')).json.total_broadcasts).toBe(1);
});

test('[EV7.2] [EV7.3] in a list each event says what became of it, and the key is for the stored ones', async () => {
  await using publisher = new PublisherUnderTest();
  const publish = () =>
    publisher.post('/api/publish', [typing, stored, typing, { ...typing, idempotency_key: 'k' }], {
      'idempotency-key': 'k',
    });
  const first = await publish();
  expect(first.json.results).toMatchObject([
    { status: 'live', live: true },
    { status: 'stored', cursor: expect.stringMatching(/\.1$/), duplicate: false },
    { status: 'live', duplicate: false },
    { status: 'refused', problem: { errors: [{ field: 'idempotency_key' }] } },
  ]);
  expect((await publish()).json.results).toMatchObject([
    { status: 'live', duplicate: false },
    { status: 'stored', duplicate: true },
    { status: 'live', duplicate: false },
    { status: 'refused' },
  ]);
  const alone = await publisher.post('/api/publish', typing, { 'idempotency-key': 'k' });
  expect(alone.json).toMatchObject({ live: true });
});

test('[EV7.3] a broadcast may be live only', async () => {
  await using publisher = new PublisherUnderTest();
  const { json } = await publisher.post('/api/ws/broadcast', { ...notification, live: true });
  expect(json).toMatchObject({ sent_to: 0, live: true });
  expect(json).not.toHaveProperty('cursor');
});
