import { auditChannel } from '../audit/audit-channel.ts';
import { auditLive } from '../audit/audit-live.ts';
import type { LogEntry } from '../audit/channel-log.ts';
import { addFindings, type Findings, noFindings } from '../audit/findings.ts';
import { LedgerIndex } from '../audit/ledger.ts';
import type { ClientResult } from '../clients/client-spec.ts';
import type { PublishResult } from '../publishing/publisher-spec.ts';
import type { Plan } from './plan.ts';
import type { Scenario } from './scenario.ts';

/** The input of an audit: what was published, and what the clients have received. */
export interface AuditInput {
  readonly plan: Plan;
  readonly load: PublishResult;
  readonly clients: readonly ClientResult[];
  /** Clients that may miss publications in any scenario. */
  readonly excused: ReadonlySet<string>;
}

export interface RunAudit {
  /** Number of acknowledged events. */
  readonly events: number;
  readonly findings: Findings;
  readonly violations: readonly string[];
}

const MAX_REPORTED = 5;

/** Audits every client's log against the acknowledged events. */
export function auditRun({ resyncs, live }: Scenario, input: AuditInput): RunAudit {
  const { plan, load, clients } = input;
  const ledgers = new Map(
    Object.entries(load.ledgers).map(([channel, ledger]) => [channel, new LedgerIndex(ledger)]),
  );
  const findings = noFindings();
  const problems: string[] = [];
  for (const client of clients) {
    const isComplete = live === 'all' && client.connects === 1 && !letsGrantsEnd(plan, client.id);
    const own = auditClient(client, { plan, ledgers, isComplete });
    addFindings(findings, own, client.id);
    // They may miss more than a gateway holds back for a resume, so that new events come early.
    if (input.excused.has(client.id)) continue;
    const wrong = resyncProblem(resyncs, own.resyncs, channelsOf(plan, client.id).length);
    if (wrong !== undefined) problems.push(`${client.id}: ${wrong}`);
    problems.push(...client.problems.map((problem) => `${client.id}: ${problem}`));
  }
  const events = [...ledgers.values()].reduce((sum, { count }) => sum + count, 0);
  const stored = storeProblems(ledgers, load);
  return {
    events,
    findings,
    violations: [...countProblems(findings), ...stored, ...few(problems)],
  };
}

/** Whether a client is without its room at times, in which it misses live-only events. */
function letsGrantsEnd(plan: Plan, id: string): boolean {
  return plan.clients.some((client) => client.id === id && client.grants?.renewed === false);
}

interface Expected {
  readonly plan: Plan;
  readonly ledgers: ReadonlyMap<string, LedgerIndex>;
  /** Whether the client must have received every live-only event. */
  readonly isComplete: boolean;
}

function auditClient(client: ClientResult, { plan, ledgers, isComplete }: Expected): Findings {
  const findings = noFindings();
  for (const channel of channelsOf(plan, client.id)) {
    const ledger = ledgers.get(channel);
    if (ledger === undefined) continue;
    const log = client.logs[channel] ?? [];
    addFindings(findings, auditChannel(log, ledger), channel);
    const live = client.lives[channel] ?? NO_LIVES;
    addFindings(findings, auditLive(live, ledger, { first: firstOf(log), isComplete }), channel);
  }
  for (const channel of client.strays) {
    findings.strays += 1;
    findings.examples.push(`it received ${channel} without permission`);
  }
  return findings;
}

const NO_LIVES = { entries: [], late: [], dropped: 0 };

/** The first number of a log; beyond all numbers for an empty one. */
function firstOf(log: readonly LogEntry[]): number {
  for (const entry of log) if (entry.kind === 'run' && entry.number > 0) return entry.number;
  return Number.POSITIVE_INFINITY;
}

function channelsOf({ clients }: Plan, id: string): readonly string[] {
  return clients.find((client) => client.id === id)?.channels ?? [];
}

function resyncProblem(
  allowed: Scenario['resyncs'],
  resyncs: number,
  channels: number,
): string | undefined {
  if (allowed === 'never' && resyncs > 0) return `${resyncs} needless resyncs`;
  if (allowed === 'all' && resyncs < channels) {
    return `${resyncs} resyncs in ${channels} channels, although each has lost events`;
  }
  return undefined;
}

function countProblems(findings: Findings): string[] {
  const words = {
    lost: 'lost',
    duplicated: 'duplicated',
    reordered: 'reordered',
    gaps: 'unexplained gaps',
    strays: 'not permitted',
  };
  const broken = (Object.keys(words) as (keyof typeof words)[]).filter(
    (name) => findings[name] > 0,
  );
  return broken.map((name) => `${findings[name]} ${words[name]}`);
}

/** Problems of the stored events, and of events that were never stored. */
function storeProblems(ledgers: ReadonlyMap<string, LedgerIndex>, load: PublishResult): string[] {
  const disorder = [...ledgers].flatMap(([channel, ledger]) =>
    ledger.disorder().map((number) => `${channel}: number ${number} was stored out of order`),
  );
  const unresolved = Object.entries(load.ledgers)
    .filter(([, ledger]) => ledger.unresolved.length > 0)
    .map(([channel, ledger]) => `${channel}: ${ledger.unresolved.length} were never acknowledged`);
  const refused = load.refused.map((reason) => `an event was refused: ${reason}`);
  return [...few(disorder), ...unresolved, ...refused];
}

function few(texts: readonly string[]): string[] {
  const more = texts.length - MAX_REPORTED;
  return more > 0 ? [...texts.slice(0, MAX_REPORTED), `and ${more} more`] : [...texts];
}
