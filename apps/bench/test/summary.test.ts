import { describe, expect, test } from 'vitest';
import { smokeProblems } from '../src/command/smoke.ts';
import { reportPage } from '../src/report/page.ts';
import type { Measurement } from '../src/results/measurement.ts';
import { type CaseResult, type Results, SCHEMA_VERSION } from '../src/results/results.ts';
import { Cases } from '../src/results/summary.ts';

const ORIGIN = { target: 'leque', setup: 'raw', connections: 1000 };
const MEASUREMENT: Measurement = {
  step: '100/s',
  part: '',
  offeredPerSecond: 1e5,
  verdict: 'held',
  reason: '',
  figures: { p99Ms: 2, cpuUsPerDelivery: 1 },
  histogram: [[2000, 5]],
  counts: { delivered: 5 },
  server: { versions: { leque: '1' }, flags: 'node gateway' },
};

function sumUp(...measurements: Partial<Measurement>[]): CaseResult[] {
  const cases = new Cases();
  for (const [index, each] of measurements.entries()) {
    cases.add({ ...ORIGIN, repetition: index + 1 }, { ...MEASUREMENT, ...each });
  }
  return cases.results();
}

describe('the runs of a case', () => {
  test('are summarized as medians with their spread and one histogram', () => {
    const [result] = sumUp(
      { figures: { p99Ms: 2 } },
      { figures: { p99Ms: 9 }, histogram: [[9000, 1]] },
      { figures: { p99Ms: 3 } },
    );
    expect(result).toMatchObject({
      ...ORIGIN,
      verdict: 'held',
      median: { p99Ms: 3 },
      spread: { p99Ms: [2, 9] },
      histogram: [
        [2000, 10],
        [9000, 1],
      ],
      flags: 'node gateway',
    });
    expect(result?.runs.map(({ repetition }) => repetition)).toEqual([1, 2, 3]);
  });

  test('have no figures when a run failed', () => {
    const [result] = sumUp({}, { verdict: 'failed', reason: '1 lost' });
    expect(result).toMatchObject({ verdict: 'failed', median: {}, spread: {}, histogram: [] });
  });

  test('at different rates are different cases', () => {
    expect(sumUp({}, { step: '200/s' }, { part: 'small' })).toHaveLength(3);
  });
});

describe('the smoke run', () => {
  const direct = { leque_socketio_direct_writes_total: 500, leque_socketio_engine_writes_total: 2 };
  const problems = (changes: Partial<Measurement>, setup = 'raw') =>
    smokeProblems(resultsOf(sumUp(changes).map((each) => ({ ...each, setup }))));

  test('has no problem when everything arrived', () => {
    expect(problems({})).toEqual([]);
    expect(problems({ verdict: 'behind', reason: 'slow machine' })).toEqual([]);
    expect(problems({ counts: { delivered: 5, ...direct } }, 'Socket.IO')).toEqual([]);
  });

  test('does not expect the metrics of Leque from a peer', () => {
    const [result] = sumUp({});
    const cases =
      result === undefined ? [] : [{ ...result, target: 'socket.io', setup: 'Socket.IO' }];
    expect(cases).toHaveLength(1);
    expect(smokeProblems(resultsOf(cases))).toEqual([]);
  });

  test.for([
    ['loss', { verdict: 'failed', reason: '1 lost' }, '1 lost'],
    ['a run that does not begin', { verdict: 'unavailable', reason: 'no Redis' }, 'no Redis'],
    ['a run in which nothing happens', { counts: { delivered: 0 } }, 'nothing was published'],
  ] as const)('fails for %s', ([_what, changes, problem]) => {
    expect(problems(changes)).toEqual([`W1 raw 100/s: ${problem}`]);
  });

  test.for([
    ['are not there', {}, 'has no metrics'],
    [
      'count no direct write',
      { ...direct, leque_socketio_direct_writes_total: 0 },
      'no publication',
    ],
    ['count too many others', { ...direct, leque_socketio_engine_writes_total: 50 }, 'own path'],
  ] as const)('fails for Socket.IO when the metrics %s', ([_what, counts, problem]) => {
    const [found] = problems({ counts: { delivered: 5, ...counts } }, 'Socket.IO');
    expect(found).toContain(problem);
  });
});

describe('the report', () => {
  test('is self-contained and escapes text', () => {
    const page = reportPage(resultsOf(sumUp({}, { step: '<b>', reason: '"&', verdict: 'behind' })));
    expect(page).toContain('&lt;b&gt;');
    expect(page).toContain('&quot;&amp;');
    expect(page).not.toContain('<b>');
    expect(page).not.toMatch(/https?:|url\(|<script|<link|<img/);
  });

  test('draws each target at each rate, and gives the reason of a missing one', () => {
    const cases = sumUp({});
    const peers: CaseResult[] = cases.flatMap((each) => [
      { ...each, target: 'ws' },
      { ...each, target: 'nats', step: '', verdict: 'unavailable', reason: 'not installed' },
    ]);
    const page = reportPage(resultsOf([...cases, ...peers]));
    const [chart = ''] = /<svg[\s\S]*?<\/svg>/.exec(page) ?? [];
    for (const label of ['>leque<', '>ws<', '>nats<', 'not run: not installed']) {
      expect(chart).toContain(label);
    }
    expect(chart).not.toContain('NaN');
  });
});

function resultsOf(cases: CaseResult[]): Results {
  return {
    schema: SCHEMA_VERSION,
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:01:00.000Z',
    interrupted: false,
    command: '--only W1',
    environment: {
      cpu: 'a processor',
      cores: 2,
      memoryMb: 4096,
      kernel: 'Linux',
      node: 'v24',
      redis: '7',
      commit: '',
      openFiles: 1024,
    },
    repeat: 1,
    workloads: [{ id: 'W1', title: 'One channel', about: 'All get all.', cases }],
  };
}
