import { startCollector } from '@leque/testkit';
import { expect, test } from 'vitest';
import { openTracing } from '../src/index.ts';

const PROCESS = { service: 'leque-test', version: '1.2.3', nodeId: 'node-1' };
const EVENT = { channel: 'project:P', type: 'note', messageId: 'm-1' };
const TRACE = 'a'.repeat(32);
const SAMPLED = `00-${TRACE}-${'b'.repeat(16)}-01`;

const settingsFor = ({ url }: { readonly url: string }, ratio: number) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/`,
  OTEL_TRACES_SAMPLER_ARG: ratio,
});

test('without a collector there is no tracing, and nothing of it is loaded', async () => {
  expect(await openTracing({ OTEL_TRACES_SAMPLER_ARG: 1 }, PROCESS)).toBeUndefined();
});

test('a publish goes on with its caller, and fan-outs with the publish, linked to it', async () => {
  await using collector = await startCollector();
  const tracing = await openTracing(settingsFor(collector, 0), PROCESS);
  const publish = tracing?.publishing(EVENT, SAMPLED);
  expect(publish?.traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
  publish?.end();
  const endedAt = Date.now();
  const traceparent = publish?.traceparent ?? '';
  tracing?.fannedOut({
    channel: 'project:P',
    traceparent,
    startedAt: endedAt - 2.5,
    endedAt,
    sessions: 3,
  });
  await tracing?.close();
  const [first, second] = collector.spans;
  expect(first).toMatchObject({
    name: 'leque publish',
    traceId: TRACE,
    parentSpanId: 'b'.repeat(16),
  });
  expect(second).toMatchObject({
    name: 'leque fan out',
    traceId: TRACE,
    parentSpanId: first?.spanId,
    links: [{ spanId: first?.spanId }],
  });
  expect(JSON.stringify(collector.resources)).toContain('leque-test');
});

test('what the caller has not decided is sampled by the ratio, and what is not sampled carries nothing', async () => {
  await using collector = await startCollector();
  const never = await openTracing(settingsFor(collector, 0), PROCESS);
  const always = await openTracing(settingsFor(collector, 1), PROCESS);
  for (const parent of [undefined, 'nonsense', `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`]) {
    expect(never?.publishing(EVENT, parent).traceparent).toBeUndefined();
    expect(always?.publishing(EVENT, parent).traceparent).toMatch(/^00-.*-01$/);
  }
  // Its caller has decided that it is not.
  expect(always?.publishing(EVENT, SAMPLED.replace(/1$/, '0')).traceparent).toBeUndefined();
  await Promise.all([never?.close(), always?.close()]);
});

test('a publish that fails says so', async () => {
  await using collector = await startCollector();
  const tracing = await openTracing(settingsFor(collector, 1), PROCESS);
  tracing?.publishing(EVENT, undefined).end(new Error('Redis is away'));
  await tracing?.close();
  expect(collector.spans).toMatchObject([{ status: { code: 2, message: 'Redis is away' } }]);
});

test('[LIVE] a collector that is away, or refuses, keeps nobody waiting', async () => {
  await using refusing = await startCollector(503);
  const away = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_TRACES_SAMPLER_ARG: 1 };
  for (const settings of [away, settingsFor(refusing, 1)]) {
    const tracing = await openTracing(settings, PROCESS);
    for (let n = 0; n < 5_000; n += 1) tracing?.publishing(EVENT, undefined).end();
    const startedAt = performance.now();
    await tracing?.close();
    expect(performance.now() - startedAt).toBeLessThan(4_000);
  }
});
