import { describe, expect, test } from 'vitest';
import { type ClusterReading, statsText } from './stats-text.ts';

type Process = ClusterReading['nodes'][number];

const gateway: Process = {
  node: 'leque-gateway-7d9f8b6c5d-x2v4q',
  app: 'gateway',
  version: '0.1.0',
  uptime_s: 172_000,
  unready: [],
  rss_bytes: 1_580_000_000,
  cpu_ms: 1_000_000,
  connections: 10_000,
  channels: 123_456,
  messages_sent: 0,
};
const publisher: Process = {
  node: 'publisher-1',
  app: 'publisher',
  version: '0.1.0',
  uptime_s: 59,
  unready: [],
  rss_bytes: 150_000_000,
  cpu_ms: 0,
  stored: 0,
};
const stats = {
  active_connections: 1_234_567,
  active_projects: 123_456,
  total_connections: 1_234_567,
  total_messages_sent: 123_456_789_012,
  total_broadcasts: 1_234_567,
};
const first: ClusterReading = { at: 1000, stats, nodes: [gateway, publisher], silent: 0 };
const second: ClusterReading = {
  at: 3000,
  stats,
  nodes: [
    { ...gateway, messages_sent: 2_000_000, cpu_ms: 1_001_000 },
    { ...publisher, stored: 20 },
  ],
  silent: 1,
};

describe('statsText', () => {
  test('fits 60 columns, with large numbers and the names of Kubernetes', () => {
    const reasons = [
      'Redis does not answer since 12 s: connect ECONNREFUSED 10.0.0.1:6379',
      'drain',
    ];
    const unready = {
      ...second,
      nodes: second.nodes.map((node) => ({ ...node, unready: reasons })),
    };
    for (const text of [
      statsText(first, undefined),
      statsText(second, first),
      statsText(unready, first),
    ]) {
      for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(60);
    }
  });

  test('shows rates since the last reading, and none without one', () => {
    const row = (text: string, node: string) => {
      const lines = text.split('\n');
      const start = lines.findIndex((line) => line.startsWith(node));
      return lines
        .slice(start, start + 2)
        .join('')
        .split(/ {2,}/);
    };
    expect(row(statsText(second, first), 'leque-gateway')).toEqual([
      ...['leque-gateway-7d9f8b6c5d-x2v4q', 'gateway', 'ready', '47 h'],
      ...['10,000', '123,456', '1,000,000', '50 %', '1580 MB'],
    ]);
    expect(row(statsText(second, first), 'publisher-1').slice(4)).toEqual(['10', '0 %', '150 MB']);
    expect(row(statsText(first, undefined), 'publisher-1').slice(4)).toEqual(['150 MB']);
  });

  test('reports reasons of processes that are not ready, and processes that are silent', () => {
    const nodes = [{ ...gateway, unready: ['no Redis'] }, publisher];
    const text = statsText({ ...second, nodes }, undefined);
    expect(text).toMatch(
      /leque-gateway\S+ +gateway +not ready +47 h\n.*\n {2}not ready: no Redis\npublisher-1/,
    );
    expect(text).toContain('1 of the processes did not answer.');
    expect(statsText(first, undefined)).not.toContain('did not answer');
  });
});
