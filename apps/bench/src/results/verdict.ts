import type { RunResult, Verdict } from './results.ts';

/** Of what is offered, so much has to be delivered while the run goes on; the rest is jitter. */
const HELD_SHARE = 0.98;

export interface VerdictWithReason {
  readonly verdict: Verdict;
  /** Empty when it was held. */
  readonly reason: string;
}

/** What became of the publications of one run. */
export interface Deliveries {
  readonly lost: number;
  /** Publications of which nobody has said that they are stored: they may be missing. */
  readonly unanswered: number;
  /** They were still coming when the wait for them was given up: what is missing is late. */
  readonly stillComing: boolean;
  readonly duplicates: number;
  readonly reordered: number;
  /** On a connection that did not ask for them. */
  readonly strays: number;
  /** Publications that the server or Redis refused. */
  readonly publishErrors: number;
  /** Connections that were closed, other than those that stalled. */
  readonly closed: number;
  /** Of what was offered while the run went on, the share that came in that time. */
  readonly share: number;
}

/** Nothing wrong with them. */
export const NO_FAULTS: Deliveries = {
  lost: 0,
  unanswered: 0,
  stillComing: false,
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

/** Wrong is wrong however little; late is told apart. */
export function verdictOf(deliveries: Deliveries): VerdictWithReason {
  const { lost, stillComing, share } = deliveries;
  const faults = [
    [stillComing ? 0 : lost, 'lost'],
    [stillComing ? 0 : deliveries.unanswered, 'publications not answered'],
    [deliveries.duplicates, 'came twice'],
    [deliveries.reordered, 'out of order'],
    [deliveries.strays, 'astray'],
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
  const late = stillComing ? `; ${lost.toLocaleString('en')} had not come long after` : '';
  return { verdict: 'behind', reason: reason + late };
}

/** Of a case: the worst of its runs, with how many of them it was. */
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
