import type { Position } from '@leque/protocol';
import { type GrowingRun, grow, type Run } from './runs.ts';

/** What became of the events that were published in one channel, numbered from 1. */
export interface ChannelLedger {
  /** The highest number that was sent. */
  readonly last: number;
  /** What was acknowledged, in the order of the acknowledgements. */
  readonly runs: readonly Run[];
  /** Sent more than once, as the first outcome was not success. */
  readonly retried: readonly number[];
  /** Never acknowledged: stored or not, nobody knows. */
  readonly unresolved: readonly number[];
}

/** Written while events are published. */
export class LedgerWriter {
  last = 0;
  /** Acknowledged so far, all of them up to here unless something was given up. */
  acknowledged = 0;
  readonly #runs: GrowingRun[] = [];
  readonly #retried = new Set<number>();
  readonly #unresolved: number[] = [];

  stored(position: Position, number: number): void {
    this.acknowledged = Math.max(this.acknowledged, number);
    const run = this.#runs.at(-1);
    if (run === undefined || !grow(run, position, number)) {
      this.#runs.push({ ...position, number, count: 1 });
    }
  }

  retried(number: number): void {
    this.#retried.add(number);
  }

  givenUp(number: number): void {
    this.#unresolved.push(number);
  }

  read(): ChannelLedger {
    const { last } = this;
    return {
      last,
      runs: this.#runs,
      retried: [...this.#retried],
      unresolved: this.#unresolved,
    };
  }
}

/** The same, for who looks numbers up. */
export class LedgerIndex {
  readonly last: number;
  /** Of all that was acknowledged. */
  readonly count: number;
  readonly #positions: (Position | undefined)[];
  readonly #ledger: ChannelLedger;

  constructor(ledger: ChannelLedger) {
    this.last = ledger.last;
    this.#ledger = ledger;
    this.#positions = new Array(ledger.last + 1);
    for (const { epoch, offset, number, count } of ledger.runs) {
      for (let index = 0; index < count; index += 1) {
        this.#positions[number + index] = { epoch, offset: offset + index };
      }
    }
    this.count = this.#positions.reduce((sum) => sum + 1, 0); // holes are left out
  }

  /** Undefined when the number was not acknowledged. */
  positionOf(number: number): Position | undefined {
    return this.#positions[number];
  }

  /**
   * Acknowledged numbers that were stored before an earlier one, although each was published after
   * the answer for that, or in one batch with it.
   */
  disorder(): number[] {
    const retried = new Set(this.#ledger.retried);
    const found: number[] = [];
    let highest: Position | undefined;
    for (let number = 1; number <= this.last; number += 1) {
      const position = this.#positions[number];
      if (position === undefined || retried.has(number)) continue;
      const backwards = highest?.epoch === position.epoch && highest.offset >= position.offset;
      if (backwards) found.push(number);
      else highest = position;
    }
    return found;
  }
}
