import type { PublishSpan, Tracing } from '@leque/core';
import { upTo } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { bearer, notification, openPolicy, PublisherUnderTest } from './publisher-under-test.ts';

const CALLER = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;
const key = { 'x-api-key': 'a-key' };
const user = await bearer(['publish:all']);

/** Records the parents that publishes are given; samples those that have one. */
class RecordingTracing implements Tracing {
  readonly parents: (string | undefined)[] = [];

  publishing(_event: unknown, parent: string | undefined): PublishSpan {
    this.parents.push(parent);
    return { traceparent: parent, end: () => {} };
  }

  fannedOut(): void {}

  async close(): Promise<void> {}
}

const places = {
  header: { headers: { traceparent: CALLER }, field: {} },
  field: { headers: {}, field: { traceparent: CALLER } },
};

for (const [place, { headers, field }] of Object.entries(places)) {
  test.each([
    ['an API key', 'keys', key, true],
    ['a token', 'keys', user, false],
    ['no credentials', 'keys', {}, false],
    ['a token', 'all', user, true],
    ['no credentials', 'all', {}, true],
    ['an API key', 'none', key, false],
  ] as const)(
    `a traceparent in the ${place} of a request with %s counts when TRUST_TRACEPARENT=%s: %#`,
    async (...[, trustTraceparent, credentials, counts]) => {
      const tracing = new RecordingTracing();
      const policy = { ...openPolicy, limits: { ...openPolicy.limits, trustTraceparent } };
      await using publisher = new PublisherUnderTest(policy, { tracing });
      const event = { ...notification, ...field };
      for (const [url, body] of [
        ['/api/publish', event],
        ['/api/publish', [event]],
        ['/api/ws/broadcast', event],
      ] as const) {
        const all = { ...headers, ...credentials };
        expect((await publisher.post(url, body, all)).status).toBe(200);
      }
      expect(new Set(tracing.parents)).toEqual(new Set([counts ? CALLER : undefined]));
      const { publications } = await publisher.broker.history(
        'project:PROJ-001',
        undefined,
        upTo(10),
      );
      expect(publications.map((each) => each.event['traceparent'])).toEqual(
        Array(3).fill(counts ? CALLER : undefined),
      );
    },
  );
}
