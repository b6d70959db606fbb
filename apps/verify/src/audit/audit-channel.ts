import { type Position, toCursor } from '@leque/protocol';
import type { LogEntry } from './channel-log.ts';
import { addExample, type Findings, noFindings } from './findings.ts';
import type { LedgerIndex } from './ledger.ts';
import type { Run } from './runs.ts';

/** What the server has said about a part of a channel that is missing. */
interface Excuse {
  /** The highest number seen before. */
  readonly after: number;
  /** The lowest seen since; undefined as long as there is none. */
  before: number | undefined;
  readonly from: Position | undefined;
  readonly to: Position | undefined;
}

/**
 * Compares what one client was told about one channel with what was acknowledged there: from where
 * its log starts, each acknowledged event exactly once, in the order of the offsets, without holes,
 * unless the server said that something is missing, and then only that. The last number is never
 * excused: it is published when everything is over.
 */
export function auditChannel(log: readonly LogEntry[], ledger: LedgerIndex): Findings {
  const audit = new ChannelAudit(ledger);
  for (const entry of log) audit.take(entry);
  return audit.finish();
}

class ChannelAudit {
  readonly #ledger: LedgerIndex;
  readonly #findings = noFindings();
  readonly #seen: Uint8Array;
  readonly #excuses: Excuse[] = [];
  #started = false;
  #begin: Position | undefined;
  #first: number | undefined;
  #highest = 0;
  /** What the client has seen; undefined when anything may follow. */
  #position: Position | undefined;
  /** Up to here holes are excused. */
  #incompleteUntil: Position | undefined;

  constructor(ledger: LedgerIndex) {
    this.#ledger = ledger;
    this.#seen = new Uint8Array(ledger.last + 1);
  }

  take(entry: LogEntry): void {
    if (entry.kind === 'run') this.#takeRun(entry);
    else if (entry.kind === 'start' && !this.#started) this.#begin = entry.position;
    else this.#excuse(entry.position);
    if (entry.kind === 'resync') {
      this.#findings.resyncs += 1;
      this.#incompleteUntil = entry.until;
    }
    if (entry.kind !== 'run') this.#position = entry.position;
    this.#started = true;
  }

  finish(): Findings {
    const from = this.#first ?? this.#ledger.last;
    for (let number = 1; number <= this.#ledger.last; number += 1) {
      const position = this.#ledger.positionOf(number);
      if (position === undefined || this.#seen[number] !== 0) continue;
      if (number < from && !isAfter(position, this.#begin)) continue;
      if (this.#isExcused(number, position)) this.#findings.excused += 1;
      else this.#report('lost', `number ${number} at ${toCursor(position)} is lost`);
    }
    return this.#findings;
  }

  #takeRun(run: Run): void {
    this.#findings.deliveries += run.number === 0 ? 0 : run.count;
    if (!this.#isKnown(run)) this.#checkPosition(run);
    this.#takeNumbers(run);
    for (const excuse of this.#excuses) {
      if (run.number > 0) excuse.before ??= run.number;
    }
    const end = { epoch: run.epoch, offset: run.offset + run.count - 1 };
    // One that comes again, or too late, does not move the client back.
    if (this.#position === undefined || end.offset > this.#position.offset) this.#position = end;
  }

  /** Whether all of it was seen before: it is doubled, and says nothing about order and holes. */
  #isKnown({ number, count }: Run): boolean {
    return number > 0 && this.#seen.subarray(number, number + count).every((seen) => seen > 0);
  }

  #takeNumbers({ number, offset, count }: Run): void {
    if (number === 0) return;
    for (let index = 0; index < count; index += 1) this.#takeNumber(number + index, offset + index);
  }

  #takeNumber(number: number, offset: number): void {
    if (number > this.#ledger.last) {
      this.#report('strays', `number ${number} was never published`);
      return;
    }
    this.#first ??= number;
    this.#highest = Math.max(this.#highest, number);
    const stored = this.#ledger.positionOf(number);
    if (stored !== undefined && stored.offset !== offset) {
      this.#report('reordered', `number ${number} came at ${offset}, not at ${stored.offset}`);
    }
    if (this.#seen[number] !== 0) {
      this.#report('duplicated', `number ${number} came again at ${offset}`);
    }
    this.#seen[number] = 1;
  }

  /** In a new epoch offsets go on, unless a resync has said where they start. */
  #checkPosition(run: Run): void {
    if (this.#position === undefined) return;
    const expected = this.#position.offset + 1;
    const at = `${toCursor(run)} after ${toCursor(this.#position)}`;
    if (run.offset < expected) this.#report('reordered', `${at} goes backwards`);
    if (run.offset <= expected) return;
    const until = this.#incompleteUntil;
    if (until !== undefined && run.offset <= until.offset + 1) {
      this.#excuse({ epoch: run.epoch, offset: run.offset - 1 });
    } else this.#report('gaps', `${at} leaves a hole`);
  }

  #excuse(to: Position | undefined): void {
    this.#excuses.push({ after: this.#highest, before: undefined, from: this.#position, to });
  }

  #isExcused(number: number, position: Position): boolean {
    if (number === this.#ledger.last) return false;
    return this.#excuses.some(({ after, before, from, to }) => {
      if (after < number && number < (before ?? this.#ledger.last)) return true;
      return isAfter(position, from) && to?.epoch === position.epoch && !isAfter(position, to);
    });
  }

  #report(kind: 'lost' | 'duplicated' | 'reordered' | 'gaps' | 'strays', example: string): void {
    this.#findings[kind] += 1;
    addExample(this.#findings, example);
  }
}

function isAfter(position: Position, other: Position | undefined): boolean {
  return other?.epoch === position.epoch && position.offset > other.offset;
}
