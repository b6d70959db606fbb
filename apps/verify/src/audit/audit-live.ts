import { addExample, type Findings, noFindings } from './findings.ts';
import type { LedgerIndex } from './ledger.ts';
import type { LiveRecord } from './live-log.ts';

/**
 * Compares the live-only events of one client and channel with the ledger. None may come twice on a
 * connection, or on the other side of a stored event than it was published on. They may get lost, except
 * where the audit is of a run without faults.
 * @param first the first number that the client has received
 */
export function auditLive(
  { entries, late, dropped }: LiveRecord,
  ledger: LedgerIndex,
  { first, isComplete }: { readonly first: number; readonly isComplete: boolean },
): Findings {
  const findings = noFindings();
  const seen = new Set<string>();
  const received = new Set<number>();
  for (const { after, seen: highest, connection } of entries) {
    findings.live += 1;
    received.add(after);
    const key = `${connection} ${after}`;
    if (seen.has(key)) report(findings, 'duplicated', `live event after ${after} came twice`);
    seen.add(key);
    if (ledger.isLive(after) && highest > after) {
      report(findings, 'reordered', `live event after ${after} came behind ${highest}`);
    }
  }
  for (const { number, live } of late) {
    if (!ledger.isLive(live) || ledger.isRetried(number)) continue;
    report(findings, 'reordered', `number ${number} came behind the live event after ${live}`);
  }
  if (!isComplete) return findings;
  const missing = ledger.lives.filter((after) => after >= first && !received.has(after));
  if (missing.length <= dropped) return findings;
  findings.lost += missing.length - dropped;
  addExample(findings, `live events are lost, the first one after ${missing[0]}`);
  return findings;
}

function report(findings: Findings, kind: 'duplicated' | 'reordered', example: string): void {
  findings[kind] += 1;
  addExample(findings, example);
}
