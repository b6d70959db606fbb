import { BucketCounts, FanOutCounters, type TransportContext } from '@leque/core';
import { createTransports, GatewaySettings } from '@leque/gateway';
import { tokenFor } from '@leque/lab';
import { newPublishCounters } from '@leque/publisher';
import { readConfig } from '@leque/service';
import { type MetricDescription, PrometheusTelemetry } from '@leque/telemetry-prometheus';
import { startCluster, TEST_API_KEY } from '@leque/testkit';
import { FakeClock, RecordingTelemetry } from '@leque/testkit/fakes';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

/** Matches Leque's own metrics, and none of Node's or the process's. */
const OWN = /^leque_/;

test('docs/metrics.md lists every metric (`npm test -- -u` rewrites it)', async () => {
  const page = [
    '# Metrics',
    'Every process serves these metrics at `/metrics` in the format of Prometheus. This page is generated from the code. Labels have few values: a channel, a project, a user or a session is never a label. Counters and histograms start at zero with the process.',
    ...Object.entries(described()).flatMap(([process, metrics]) => [
      `## ${process}`,
      table(metrics),
    ]),
  ].join('\n\n');
  await expect(`${page}\n`).toMatchFileSnapshot('../../docs/metrics.md');
});

describe('the metrics of real processes', () => {
  test('are exactly the documented ones', async () => {
    await using cluster = await startCluster({ gateways: 1 });
    const { Gateway, Publisher, 'Every process': common } = described();
    for (const [url, own] of [
      [cluster.url(0), Gateway],
      [cluster.publisher.url, Publisher],
    ] as const) {
      const text = await (await fetch(`${url}/metrics`)).text();
      const names = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
      expect(names.sort()).toEqual([...common, ...own].map(({ name }) => name).sort());
    }
  });

  test('count how an event was published, received and written, and how long that took', async () => {
    await using cluster = await startCluster({ gateways: 1 });
    const token = tokenFor('alice', { projects: ['P'] });
    const url = `${cluster.url(0).replace('http', 'ws')}/ws/project/P?token=${token}`;
    const socket = new WebSocket(url);
    const seen: string[] = [];
    socket.on('message', (data) => void seen.push(String(data)));
    await expect.poll(() => seen.some((text) => text.includes('"connected"'))).toBe(true);
    // Events that arrive while the session subscribes are held back, so the first one has no meaningful latency.
    for (const text of ['first', 'second']) {
      await publish(cluster.publisher.url, text);
      await expect.poll(() => seen.some((message) => message.includes(text))).toBe(true);
    }
    const gateway = await read(cluster.url(0));
    expect(gateway['leque_connections{transport="ws",state="open"}']).toBe(1);
    expect(gateway['leque_authentications_total{outcome="accepted"}']).toBe(1);
    expect(gateway['leque_publications_total']).toBe(2);
    expect(gateway['leque_publish_to_write_seconds_count']).toBeGreaterThanOrEqual(1);
    expect(gateway['leque_writes_total{transport="ws"}']).toBeGreaterThanOrEqual(2);
    expect(gateway['leque_ready']).toBe(1);
    const publisher = await read(cluster.publisher.url);
    expect(publisher['leque_publish_duration_seconds_count{outcome="stored"}']).toBe(2);
    expect(
      publisher['leque_http_requests_total{method="POST",route="/api/publish",status="200"}'],
    ).toBe(2);
    socket.terminate();
    const open = async () =>
      (await read(cluster.url(0)))['leque_connections{transport="ws",state="open"}'];
    await expect.poll(open).toBe(0);
  });

  test('include the duration of the probe by which a node checks that it receives', async () => {
    await using cluster = await startCluster({ gateways: 1 });
    const probes = async () => (await read(cluster.url(0)))['leque_probe_round_trip_seconds_count'];
    await expect.poll(probes, { timeout: 5000 }).toBeGreaterThan(0);
    const { leque_lease_age_seconds: age, leque_probes_missed_total: missed } = await read(
      cluster.url(0),
    );
    expect(age).toBeLessThan(8);
    expect(missed).toBe(0);
  });
});

async function publish(url: string, text: string): Promise<void> {
  const { status } = await fetch(`${url}/api/publish`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_API_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'note', data: { text }, project_id: 'P' }),
  });
  expect(status).toBe(200);
}

/** The value of each sample, by its name and labels as printed. */
async function read(url: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const samples = [...text.matchAll(/^([a-z][^ ]*) (\S+)$/gm)];
  return Object.fromEntries(samples.map(([, name, value]) => [name, Number(value)]));
}

/** The metrics that each kind of process registers. */
function described() {
  const health = { health: () => ({ ok: true }) as const };
  const probeSeconds = new BucketCounts([1]);
  const readings = { probeSeconds, probesMissed: 0, leaseAgeMs: () => 0 };
  const everywhere = metricsOf((telemetry) => {
    telemetry.watchBroker(health);
    telemetry.watchReadiness(() => []);
    telemetry.watchAuthentications({});
  });
  const gateway = metricsOf((telemetry) => {
    telemetry.watchBroker(health, readings);
    telemetry.watchReadiness(() => []);
    telemetry.watchAuthentications({});
    telemetry.watchHub({ channelCount: 0, counters: new FanOutCounters() }, { maxConnections: 1 });
    telemetry.watchTransports(transports());
  });
  const publisher = metricsOf((telemetry) => {
    telemetry.watchBroker(health);
    telemetry.watchReadiness(() => []);
    telemetry.watchAuthentications({});
    telemetry.watchPublishing(newPublishCounters());
    telemetry.watchHttp();
  });
  const common = new Set(everywhere.map(({ name }) => name));
  return {
    'Every process': everywhere,
    Gateway: gateway.filter(({ name }) => !common.has(name)),
    Publisher: publisher.filter(({ name }) => !common.has(name)),
  };
}

/** The transports of a gateway, which are not started. */
function transports() {
  const limits = { heartbeatIntervalMs: 1000, pingIntervalMs: 1000, timeoutMs: 2000 };
  const context = { clock: new FakeClock(), limits, telemetry: new RecordingTelemetry() };
  const settings = readConfig(GatewaySettings, { AUTH_MODE: 'open' });
  const options = { settings, socketIoAdapter: undefined };
  return createTransports(context as unknown as TransportContext, options);
}

function metricsOf(watch: (telemetry: PrometheusTelemetry) => void): MetricDescription[] {
  using telemetry = new PrometheusTelemetry({ version: '0' });
  watch(telemetry);
  return [...telemetry.describe()];
}

function table(metrics: readonly MetricDescription[]): string {
  const rows = metrics
    .toSorted((one, other) => order(one).localeCompare(order(other)))
    .map(({ name, type, labelNames, help }) => {
      const labels = labelNames.map((label) => `\`${label}\``).join(', ');
      return `| \`${name}\` | ${type} | ${labels} | ${help} |`;
    });
  return ['| metric | type | labels | description |', '| --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}

/** Orders Leque's own metrics before those of the runtime. */
function order({ name }: MetricDescription): string {
  return OWN.test(name) ? `0${name}` : `1${name}`;
}
