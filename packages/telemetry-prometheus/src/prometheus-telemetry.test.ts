import { monitorEventLoopDelay } from 'node:perf_hooks';
import { BucketCounts, type Fact, FanOutCounters } from '@leque/core';
import { register } from 'prom-client';
import { expect, test } from 'vitest';
import { PrometheusTelemetry } from './prometheus-telemetry.ts';

const facts: Fact[] = [
  { type: 'session_opened', transport: 'ws', sessionId: 's-secret', userId: 'u-secret' },
  { type: 'session_closed', transport: 'ws', sessionId: 's-secret', code: 4008, reason: 'slow' },
  { type: 'session_closed', transport: 'ws', sessionId: 's-secret', code: 3333, reason: 'odd' },
  { type: 'connection_refused', transport: 'ws', code: 'token_expired', detail: 'd-secret' },
  { type: 'command_refused', transport: 'ws', code: 'forbidden' },
  { type: 'request_broken', status: 431 },
  { type: 'slow_consumer', sessionId: 's-secret', queuedBytes: 1 },
  { type: 'event_dropped', channel: 'c-secret', detail: 'd-secret' },
  { type: 'event_unaddressed', eventType: 't-secret', caller: 'u-secret' },
  { type: 'gap_filled', channel: 'c-secret', publications: 3 },
  { type: 'resync', channel: 'c-secret' },
  { type: 'broker_connected' },
  { type: 'broker_disconnected', detail: 'd-secret' },
  { type: 'broker_refused', detail: 'd-secret' },
  { type: 'broker_serving' },
  { type: 'lease_lost' },
  { type: 'descriptors_exhausted', detail: 'd-secret' },
  { type: 'degraded', part: 'socketio_direct_path', detail: 'another version' },
  { type: 'degraded', part: 'socketio_recovery', detail: 'no secret' },
  { type: 'failure', where: 'w-secret', error: new Error('e-secret') },
  { type: 'unavailable', where: 'w-secret', error: new Error('e-secret') },
  { type: 'not_ready', detail: 'd-secret' },
];

/** The samples of Leque's own metrics, `name{labels} value`. */
async function samples(telemetry: PrometheusTelemetry): Promise<string[]> {
  const text = await telemetry.render();
  return text.split('\n').filter((line) => line.startsWith('leque_') && !line.includes('build'));
}

test('every fact is counted, by transport and code only', async () => {
  using telemetry = new PrometheusTelemetry({ version: '1.2.3' });
  for (const fact of facts) telemetry.report(fact);
  expect(await samples(telemetry)).toEqual([
    'leque_sessions_opened_total{transport="ws"} 1',
    'leque_sessions_closed_total{transport="ws",code="4008"} 1',
    'leque_sessions_closed_total{transport="ws",code="other"} 1',
    'leque_connections_refused_total{transport="ws",code="token_expired"} 1',
    'leque_commands_refused_total{transport="ws",code="forbidden"} 1',
    'leque_refused_below_http_total{status="431"} 1',
    'leque_slow_consumers_total 1',
    'leque_events_dropped_total 1',
    'leque_gaps_filled_total 1',
    'leque_gap_publications_total 3',
    'leque_resyncs_total 1',
    'leque_leases_lost_total 1',
    'leque_degraded_total{part="socketio_direct_path"} 1',
    'leque_degraded_total{part="socketio_recovery"} 1',
    'leque_direct_path_unavailable_total 1',
    'leque_socketio_recovery_limited_total 1',
    'leque_descriptors_exhausted 1',
    'leque_failures_total 1',
    'leque_unavailable_total 1',
    'leque_broker_disconnections_total 1',
    'leque_broker_refusals_total 1',
    'leque_broker_connections_total 1',
  ]);
  expect(await telemetry.render()).not.toContain('secret');
});

test('counters of the hot path are read when somebody scrapes', async () => {
  using telemetry = new PrometheusTelemetry({ version: '1.2.3' });
  const counters = new FanOutCounters();
  counters.of('ndjson');
  telemetry.watchHub({ channelCount: 2, counters }, { maxConnections: 5 });
  const seconds = {
    stored: new BucketCounts([1]),
    live: new BucketCounts([1]),
    failed: new BucketCounts([1]),
  };
  const published = { stored: 0, live: 0, duplicates: 0, refused: 0, failed: 0, seconds };
  telemetry.watchPublishing(published);
  telemetry.watchBroker({ health: () => ({ ok: false, reason: 'no connection' }) });
  counters.messagesSent = 7;
  published.stored = 3;
  await telemetry.render();
  counters.messagesSent = 9;
  const found = await samples(telemetry);
  expect(found).toContain('leque_messages_sent_total 9');
  expect(found).toContain('leque_channels 2');
  expect(found).toContain('leque_connections{transport="ndjson",state="open"} 0');
  expect(found).toContain('leque_events_stored_total 3');
  expect(found).toContain('leque_broker_healthy 0');
});

test('a transport brings counters of its own, under its name', async () => {
  using telemetry = new PrometheusTelemetry({ version: '1.2.3' });
  let lines = 1;
  const counter = { name: 'lines', help: 'Lines written', read: () => lines };
  telemetry.watchTransports([{ name: 'ndjson', counters: [counter] }, { name: 'plain' }]);
  lines = 7;
  expect(await samples(telemetry)).toContain('leque_ndjson_lines_total 7');
});

test('facts go on to the next telemetry', () => {
  const passed: Fact[] = [];
  const next = { report: (fact: Fact) => passed.push(fact) };
  using telemetry = new PrometheusTelemetry({ version: '1.2.3', next });
  for (const fact of facts) telemetry.report(fact);
  expect(passed).toEqual(facts);
});

test('the process is described without listing its sockets and files', async () => {
  using telemetry = new PrometheusTelemetry({ version: '1.2.3' });
  const text = await telemetry.render();
  expect(text).toContain(`leque_build_info{version="1.2.3",node="${process.versions.node}"} 1`);
  for (const name of [
    'process_resident_memory_bytes',
    'process_cpu_seconds_total',
    'nodejs_heap_size_used_bytes',
    'nodejs_eventloop_utilization',
    'nodejs_eventloop_lag_p99_seconds',
    'nodejs_gc_duration_seconds',
  ]) {
    expect(text).toContain(`# TYPE ${name} `);
  }
  expect(text).not.toMatch(/fds|handles|requests|resources/);
});

test('two instances live in one process, and the global registry stays empty', async () => {
  using one = new PrometheusTelemetry({ version: '1' });
  using other = new PrometheusTelemetry({ version: '1' });
  one.report({ type: 'lease_lost' });
  expect(await samples(one)).toContain('leque_leases_lost_total 1');
  expect(await samples(other)).toContain('leque_leases_lost_total 0');
  expect(register.getMetricsAsArray()).toEqual([]);
});

test('event-loop lag is the delay of a check, without the time between checks', async () => {
  using telemetry = new PrometheusTelemetry({ version: '1.2.3' });
  const looks = monitorEventLoopDelay({ resolution: 50 });
  looks.enable();
  await expect.poll(() => looks.count).toBeGreaterThan(5);
  looks.disable();
  const [, median] =
    /^nodejs_eventloop_lag_p50_seconds (.*)$/m.exec(await telemetry.render()) ?? [];
  const betweenLooks = looks.percentile(50) / 1e9;
  expect(Number(median)).toBeLessThan(betweenLooks - 0.03);
});

test('histograms that are counted elsewhere have cumulative buckets, sum and count', async () => {
  using telemetry = new PrometheusTelemetry({ version: '1.2.3' });
  const seconds = {
    stored: new BucketCounts([0.1, 1]),
    live: new BucketCounts([1]),
    failed: new BucketCounts([0.1, 1]),
  };
  telemetry.watchPublishing({ stored: 0, live: 0, duplicates: 0, refused: 0, failed: 0, seconds });
  for (const value of [0.05, 0.25, 0.5, 3]) seconds.stored.observe(value);
  const text = await telemetry.render();
  expect(text).toContain('# TYPE leque_publish_duration_seconds histogram');
  expect(text.split('\n').filter((line) => /_seconds_\w+\{.*stored/.test(line))).toEqual([
    'leque_publish_duration_seconds_bucket{outcome="stored",le="0.1"} 1',
    'leque_publish_duration_seconds_bucket{outcome="stored",le="1"} 3',
    'leque_publish_duration_seconds_bucket{outcome="stored",le="+Inf"} 4',
    'leque_publish_duration_seconds_sum{outcome="stored"} 3.8',
    'leque_publish_duration_seconds_count{outcome="stored"} 4',
  ]);
});

test('requests are counted by route pattern, and unknown paths share one series', async () => {
  using telemetry = new PrometheusTelemetry({ version: '1.2.3' });
  const count = telemetry.watchHttp();
  count({ method: 'POST', route: '/api/publish', status: 200, seconds: 0.002 });
  for (const _ of ['/one', '/another']) {
    count({ method: 'GET', route: undefined, status: 404, seconds: 0.001 });
  }
  const found = await samples(telemetry);
  expect(found).toContain(
    'leque_http_requests_total{method="POST",route="/api/publish",status="200"} 1',
  );
  expect(found).toContain('leque_http_requests_total{method="GET",route="none",status="404"} 2');
});
