import { type Position, toCursor } from '@leque/protocol';
import type { LogEntry } from './channel-log.ts';
import { addExample, type Findings, noFindings } from './findings.ts';
import type { LedgerIndex } from './ledger.ts';
import type { Run } from './runs.ts';

/** A part of a channel that the server has reported as missing. */
interface Excuse {
  /** The highest number seen before the report. */
  readonly after: number;
  /** The lowest number seen since; undefined before any. */
  before: number | undefined;
  readonly from: Position | undefined;
  readonly to: Position | undefined;
}

/**
 * Compares one client's log of a channel with the ledger of acknowledged events. From the start of
 * the log the client must have seen each acknowledged event exactly once, in the order of the
 * offsets and without holes, except for parts that the server reported as missing. The last number
 * is never excused, because it is published after all faults.
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
  /** The client's position; undefined when any position may follow. */
  #position: Position | undefined;
  /** Holes are excused up to this position. */
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
    // A duplicate or late publication does not move the client back.
    if (this.#position === undefined || end.offset > this.#position.offset) this.#position = end;
  }

  /** Whether all of the run was seen before: a duplicate shows nothing about order and holes. */
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

  /** Offsets continue in a new epoch, unless a resync has named their start. */
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
