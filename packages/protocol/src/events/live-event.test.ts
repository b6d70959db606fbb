import { describe, expect, test } from 'vitest';
import { accepted, problems } from '../../test/support/parsed-event.ts';
import { withTraceparent } from './event.ts';

const tick = { type: 'tick', data: {} };

describe('live-only events', () => {
  test('[EV7.4] clients see `live`, and no other value of it', () => {
    expect(accepted({ ...tick, live: true })).toMatchObject({ live: true, sent: { live: true } });
    for (const live of [false, null, undefined]) {
      const event = accepted({ ...tick, live });
      expect(event).not.toHaveProperty('live');
      expect(event.sent).not.toHaveProperty('live');
    }
    expect(problems({ ...tick, live: 'true' })).toEqual([expect.stringMatching(/^live: must be/)]);
  });

  test('[EV7.2] an idempotency key of the event is refused by name', () => {
    expect(problems({ ...tick, live: true, idempotency_key: 'k' })).toEqual([
      'idempotency_key: must not be given with live, because nothing of a live event is remembered',
    ]);
    expect(accepted({ ...tick, live: false, idempotency_key: 'k' }).idempotencyKey).toBe('k');
  });

  test('the trace context stays the last member', () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const event = accepted({ ...tick, live: true });
    expect(withTraceparent(event, traceparent).json).toMatch(/"live":true,"traceparent":"[^"]+"}$/);
  });
});
