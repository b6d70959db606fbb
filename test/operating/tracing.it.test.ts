import { post, RawClient, tokenFor, wsUrl } from '@leque/lab';
import { startCluster, startCollector, TEST_API_KEY } from '@leque/testkit';
import { expect, test } from 'vitest';

/** Processes export their spans every five seconds. */
const PATIENCE = { timeout: 15_000 };
const TRACE = 'c'.repeat(32);
const CALLER = `00-${TRACE}-${'d'.repeat(16)}-01`;

test('one trace leads from the caller through the publish to each node that fans the event out', async () => {
  await using collector = await startCollector();
  await using cluster = await startCluster({
    gateways: 2,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_TRACES_SAMPLER_ARG: '0' },
  });
  const token = tokenFor('alice', { projects: ['P'] });
  await using stack = new AsyncDisposableStack();
  const connect = async (gateway: number) =>
    stack.use(await RawClient.connect(wsUrl(cluster.url(gateway), '/ws/project/P'), { token }));
  const clients = await Promise.all([connect(0), connect(0), connect(1)]);
  const publish = (headers: Record<string, string>) =>
    post(
      `${cluster.publisher.url}/api/publish`,
      { type: 'note', project_id: 'P', data: {} },
      { 'x-api-key': TEST_API_KEY, ...headers },
    );
  expect((await publish({})).status).toBe(200); // not sampled
  const { body } = await publish({ traceparent: CALLER });
  const isTraced = ({ message_id: id }: { message_id: string }) => id === body['message_id'];
  const [event] = await Promise.all(clients.map((client) => client.first(isTraced)));
  // Clients may continue the trace.
  expect(event).toMatchObject({ traceparent: expect.stringContaining(TRACE) });
  const named = (name: string) => collector.spans.filter((span) => span.name === name);
  await expect.poll(() => named('leque publish').length, PATIENCE).toBe(1);
  await expect.poll(() => named('leque fan out').length, PATIENCE).toBe(2);
  const [published] = named('leque publish');
  expect(published).toMatchObject({ traceId: TRACE, parentSpanId: 'd'.repeat(16) });
  for (const span of named('leque fan out')) {
    expect(span).toMatchObject({
      traceId: TRACE,
      parentSpanId: published?.spanId,
      links: [{ spanId: published?.spanId }],
    });
  }
  const resources = JSON.stringify(collector.resources);
  for (const node of ['publisher-1', 'gateway-1', 'gateway-2']) expect(resources).toContain(node);
}, 60_000);
