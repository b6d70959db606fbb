import { upTo } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { openPolicy, PublisherUnderTest } from './publisher-under-test.ts';

test.each(['/api/publish', '/api/ws/broadcast'])(
  '[EV3] %s stores an event that does not fit its schema, and its answer has warnings',
  async (url) => {
    await using publisher = new PublisherUnderTest({ ...openPolicy, schemas: 'warn' });
    const misfit = { type: 'notification', data: { a: 1 }, user_id: 'alice' };
    const warnings = [
      { field: 'data.title', message: 'is required' },
      { field: 'data.message', message: 'is required' },
    ];
    const { status, json } = await publisher.post(url, misfit);
    expect({ status, json }).toMatchObject({
      status: 200,
      json: { channel: 'user:alice', warnings },
    });
    const batch = await publisher.post('/api/publish', [misfit, { ...misfit, type: 'tick' }]);
    const [first, second] = batch.json.results;
    expect(first).toMatchObject({ status: 'stored', warnings });
    expect(second).toEqual({ ...second, status: 'stored', warnings: undefined });
    const page = await publisher.broker.history('user:alice', undefined, upTo(10));
    expect(page.publications.map(({ event }) => event['data'])).toEqual(Array(3).fill({ a: 1 }));
  },
);

test('[EV2.2] the main events of an application may be called heartbeat, stats and error', async () => {
  await using publisher = new PublisherUnderTest({ ...openPolicy, schemas: 'warn' });
  for (const type of ['heartbeat', 'stats', 'error', 'notification']) {
    const { status } = await publisher.post('/api/publish', { type, data: {}, project_id: 'P' });
    expect([type, status]).toEqual([type, 200]);
  }
  const { status, json } = await publisher.post('/api/publish', { type: 'resumed', data: {} });
  expect(status).toBe(400);
  expect(json.detail).toContain('"resumed" is reserved: a message of the server');
});
