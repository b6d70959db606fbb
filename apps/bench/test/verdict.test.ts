import { describe, expect, test } from 'vitest';
import type { RunResult, Verdict } from '../src/results/results.ts';
import { missingOf, NO_FAULTS, verdictOf, verdictOfRuns } from '../src/results/verdict.ts';

describe('a run', () => {
  test('is held when everything arrived in time', () => {
    expect(verdictOf(NO_FAULTS)).toEqual({ verdict: 'held', reason: '' });
    expect(verdictOf({ ...NO_FAULTS, share: 0.985 }).verdict).toBe('held');
  });

  test.for([
    ['lost', '1 lost'],
    ['unanswered', '1 publications not answered'],
    ['duplicates', '1 duplicated'],
    ['reordered', '1 out of order'],
    ['strays', '1 not subscribed to'],
    ['publishErrors', '1 not published'],
    ['closed', '1 connections closed'],
  ] as const)('fails with a single `%s`, however fast it was', ([fault, reason]) => {
    expect(verdictOf({ ...NO_FAULTS, [fault]: 1 })).toEqual({ verdict: 'failed', reason });
  });

  test('names every fault', () => {
    expect(verdictOf({ ...NO_FAULTS, lost: 1200, reordered: 2, share: 0.1 })).toEqual({
      verdict: 'failed',
      reason: '1,200 lost, 2 out of order',
    });
  });

  test('is behind when it was right but slower than offered', () => {
    expect(verdictOf({ ...NO_FAULTS, share: 0.5 })).toEqual({
      verdict: 'behind',
      reason: 'delivered 50 % of what was offered',
    });
  });
});

test('deliveries that still arrive at the deadline are late, not lost', () => {
  const late = { ...NO_FAULTS, lost: 1200, stillComing: true, share: 0.3 };
  expect(verdictOf(late)).toEqual({
    verdict: 'behind',
    reason: 'delivered 30 % of what was offered; 1,200 were still missing long after',
  });
  expect(verdictOf({ ...late, share: 1 }).verdict).toBe('behind');
  expect(verdictOf({ ...late, duplicates: 1 }).verdict).toBe('failed');
});

test('[ACK] deliveries of unacknowledged publications may be missing; others are lost', () => {
  const run = { published: 3000, acked: 2015, publishErrors: 0, expected: 3_000_000 };
  expect(missingOf({ ...run, lost: 846_000 })).toEqual({ lost: 0, unanswered: 985 });
  expect(missingOf({ ...run, lost: 985_001 })).toEqual({ lost: 1, unanswered: 985 });
  expect(missingOf({ ...run, lost: 0 })).toEqual({ lost: 0, unanswered: 0 });
  expect(missingOf({ ...run, acked: 3000, lost: 7 })).toEqual({ lost: 7, unanswered: 0 });
});

describe('several runs', () => {
  const runs = (...verdicts: Verdict[]): RunResult[] =>
    verdicts.map((verdict, index) => ({
      repetition: index + 1,
      verdict,
      reason: verdict === 'held' ? '' : `because of ${index + 1}`,
      figures: {},
      counts: {},
    }));

  test('are held when each of them was held', () => {
    expect(verdictOfRuns(runs('held', 'held'))).toEqual({ verdict: 'held', reason: '' });
  });

  test('have the verdict of the worst of them, with the number of such runs', () => {
    expect(verdictOfRuns(runs('held', 'behind', 'failed'))).toEqual({
      verdict: 'failed',
      reason: '1 of 3 runs: because of 3',
    });
    expect(verdictOfRuns(runs('behind', 'held'))).toEqual({
      verdict: 'behind',
      reason: '1 of 2 runs: because of 1',
    });
  });

  test('give no number when all of them failed', () => {
    expect(verdictOfRuns(runs('failed', 'failed')).reason).toBe('because of 1');
  });

  test('are not held when some were not tried', () => {
    expect(verdictOfRuns(runs('held', 'unavailable')).verdict).toBe('behind');
    expect(verdictOfRuns(runs('unavailable', 'unavailable')).verdict).toBe('unavailable');
  });

  test('are unavailable when there are none', () => {
    expect(verdictOfRuns([]).verdict).toBe('unavailable');
  });
});
