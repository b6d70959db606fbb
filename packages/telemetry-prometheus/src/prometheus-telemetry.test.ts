import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Fact } from '@leque/core';
import { register } from 'prom-client';
import { expect, test } from 'vitest';
import { PrometheusTelemetry } from './prometheus-telemetry.ts';

const facts: Fact[] = [
  { type: 'session_opened', transport: 'ws', sessionId: 's-secret', userId: 'u-secret' },
  { type: 'session_closed', transport: 'ws', sessionId: 's-secret', code: 4008, reason: 'slow' },
  { type: 'session_closed', transport: 'ws', sessionId: 's-secret', code: 3333, reason: 'odd' },
  { type: 'connection_refused', transport: 'ws', code: 'token_expired', detail: 'd-secret' },
  { type: 'command_refused', transport: 'ws', code: 'forbidden' },
  { type: 'slow_consumer', sessionId: 's-secret', queuedBytes: 1 },
  { type: 'event_dropped', channel: 'c-secret', detail: 'd-secret' },
  { type: 'gap_filled', channel: 'c-secret', publications: 3 },
  { type: 'resync', channel: 'c-secret' },
  { type: 'broker_connected' },
  { type: 'broker_disconnected', detail: 'd-secret' },
  { type: 'lease_lost' },
  { type: 'direct_path_unavailable', detail: 'another version' },
  { type: 'recovery_limited', detail: 'no secret' },
  { type: 'failure', where: 'w-secret', error: new Error('e-secret') },
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
    'leque_slow_consumers_total 1',
    'leque_events_dropped_total 1',
    'leque_gaps_filled_total 1',
    'leque_gap_publications_total 3',
    'leque_resyncs_total 1',
    'leque_leases_lost_total 1',
    'leque_direct_path_unavailable_total 1',
    'leque_socketio_recovery_limited_total 1',
    'leque_failures_total 1',
    'leque_broker_disconnections_total 1',
    'leque_broker_connections_total 1',
  ]);
  expect(await telemetry.render()).not.toContain('secret');
});

test('counters of the hot path are read when somebody scrapes', async () => {
  using telemetry = new PrometheusTelemetry({ version: '1.2.3' });
  const counters = { publications: 0, messagesSent: 0, leftOut: 4 };
  telemetry.watchHub({ sessions: new Set(), channelCount: 2, counters });
  const published = { stored: 0, duplicates: 0, refused: 0, failed: 0 };
  telemetry.watchPublishing(published);
  telemetry.watchBroker({ health: () => ({ ok: false, reason: 'no connection' }) });
  counters.messagesSent = 7;
  published.stored = 3;
  await telemetry.render();
  counters.messagesSent = 9;
  const found = await samples(telemetry);
  expect(found).toContain('leque_messages_sent_total 9');
  expect(found).toContain('leque_channels 2');
  expect(found).toContain('leque_sessions 0');
  expect(found).toContain('leque_events_stored_total 3');
  expect(found).toContain('leque_broker_healthy 0');
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

test('two live in one process, and the global registry stays empty', async () => {
  using one = new PrometheusTelemetry({ version: '1' });
  using other = new PrometheusTelemetry({ version: '1' });
  one.report({ type: 'lease_lost' });
  expect(await samples(one)).toContain('leque_leases_lost_total 1');
  expect(await samples(other)).toContain('leque_leases_lost_total 0');
  expect(register.getMetricsAsArray()).toEqual([]);
});

test('the delay of the event loop is what a look comes late, without the time between looks', async () => {
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
