import type { RunResult, Verdict } from './results.ts';

/** The share of the offered load that must be delivered during the run; the rest is jitter. */
const HELD_SHARE = 0.98;

export interface VerdictWithReason {
  readonly verdict: Verdict;
  /** Empty when the rate was held. */
  readonly reason: string;
}

/** The outcome of one run's publications. */
export interface Deliveries {
  readonly lost: number;
  /** Publications that were never acknowledged, whose deliveries may be missing. */
  readonly unanswered: number;
  /** Whether deliveries were still arriving at the deadline, so that missing ones are late. */
  readonly stillComing: boolean;
  /** Events that clients missed who resumed a history meanwhile. */
  readonly notResumed: number;
  readonly duplicates: number;
  readonly reordered: number;
  /** Deliveries on connections that were not subscribed to them. */
  readonly strays: number;
  /** Publications that the server or Redis refused. */
  readonly publishErrors: number;
  /** Closed connections, except stalled ones. */
  readonly closed: number;
  /** The share of the load offered during the run that was delivered during it. */
  readonly share: number;
}

/** The outcome of a run without any fault. */
export const NO_FAULTS: Deliveries = {
  lost: 0,
  unanswered: 0,
  stillComing: false,
  notResumed: 0,
  duplicates: 0,
  reordered: 0,
  strays: 0,
  publishErrors: 0,
  closed: 0,
  share: 1,
};

/** Counts of a load generator whose publications are acknowledged. */
export interface PublishCounts {
  readonly published: number;
  readonly acked: number;
  readonly publishErrors: number;
  /** Deliveries that the publications should have caused. */
  readonly expected: number;
  /** Deliveries that did not come. */
  readonly lost: number;
}

/**
 * Splits missing deliveries into lost ones and ones whose publication was never acknowledged:
 * nobody has promised to deliver those ([ACK]).
 */
export function missingOf({
  lost,
  published,
  acked,
  publishErrors,
  expected,
}: PublishCounts): Pick<Deliveries, 'lost' | 'unanswered'> {
  const unanswered = Math.max(0, published - acked - publishErrors);
  if (lost === 0 || unanswered === 0) return { lost, unanswered: 0 };
  const excused = Math.ceil((unanswered * expected) / published);
  return { lost: Math.max(0, lost - excused), unanswered };
}

/** A single fault fails a run; lateness alone does not. */
export function verdictOf(deliveries: Deliveries): VerdictWithReason {
  const { lost, stillComing, share } = deliveries;
  const faults = [
    [stillComing ? 0 : lost, 'lost'],
    [stillComing ? 0 : deliveries.unanswered, 'publications not answered'],
    [deliveries.notResumed, 'missing in resumes'],
    [deliveries.duplicates, 'duplicated'],
    [deliveries.reordered, 'out of order'],
    [deliveries.strays, 'not subscribed to'],
    [deliveries.publishErrors, 'not published'],
    [deliveries.closed, 'connections closed'],
  ] as const;
  const found = faults.filter(([count]) => count > 0);
  if (found.length > 0) {
    const reason = found.map(([count, what]) => `${count.toLocaleString('en')} ${what}`).join(', ');
    return { verdict: 'failed', reason };
  }
  if (share >= HELD_SHARE && !stillComing) return { verdict: 'held', reason: '' };
  const reason = `delivered ${(share * 100).toFixed(0)} % of what was offered`;
  const late = stillComing ? `; ${lost.toLocaleString('en')} were still missing long after` : '';
  return { verdict: 'behind', reason: reason + late };
}

/** The verdict of a case: that of its worst run, with the number of such runs. */
export function verdictOfRuns(runs: readonly RunResult[]): VerdictWithReason {
  if (runs.length === 0) return { verdict: 'unavailable', reason: 'it did not run' };
  for (const verdict of ['failed', 'behind', 'unavailable'] as const) {
    const such = runs.filter((run) => run.verdict === verdict);
    const [first] = such;
    if (first === undefined) continue;
    if (such.length === runs.length) return { verdict, reason: first.reason };
    const reason = `${such.length} of ${runs.length} runs: ${first.reason}`;
    // A run that was not even tried, because a lower rate was not held, was not held either.
    return { verdict: verdict === 'unavailable' ? 'behind' : verdict, reason };
  }
  return { verdict: 'held', reason: '' };
}
