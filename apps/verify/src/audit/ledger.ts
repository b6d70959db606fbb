import type { Position } from '@leque/protocol';
import { type GrowingRun, grow, type Run } from './runs.ts';

/** The outcomes of the events published in one channel, numbered from 1. */
export interface ChannelLedger {
  /** The highest number that was sent. */
  readonly last: number;
  /** Acknowledged events, in the order of their acknowledgements. */
  readonly runs: readonly Run[];
  /** Events that were sent again because the first attempt failed. */
  readonly retried: readonly number[];
  /** Events that were never acknowledged; they may be stored. */
  readonly unresolved: readonly number[];
  /** Numbers behind which a live-only event was published, all in a request that succeeded at once. */
  readonly lives: readonly number[];
}

/** Records outcomes while events are published. */
export class LedgerWriter {
  last = 0;
  /** The highest acknowledged number; lower ones are acknowledged or given up. */
  acknowledged = 0;
  readonly #runs: GrowingRun[] = [];
  readonly #retried = new Set<number>();
  readonly #unresolved: number[] = [];
  readonly #lives: number[] = [];

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

  live(after: number): void {
    this.#lives.push(after);
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
      lives: this.#lives,
    };
  }
}

/** A ledger with positions by number. */
export class LedgerIndex {
  readonly last: number;
  /** Number of acknowledged events. */
  readonly count: number;
  readonly #positions: (Position | undefined)[];
  readonly #ledger: ChannelLedger;
  readonly #lives: ReadonlySet<number>;
  readonly #retried: ReadonlySet<number>;

  constructor(ledger: ChannelLedger) {
    this.last = ledger.last;
    this.#ledger = ledger;
    this.#lives = new Set(ledger.lives);
    this.#retried = new Set(ledger.retried);
    this.#positions = new Array(ledger.last + 1);
    for (const { epoch, offset, number, count } of ledger.runs) {
      for (let index = 0; index < count; index += 1) {
        this.#positions[number + index] = { epoch, offset: offset + index };
      }
    }
    this.count = this.#positions.reduce((sum) => sum + 1, 0); // holes are left out
  }

  /** Numbers behind which a live-only event was published; see `ChannelLedger.lives`. */
  get lives(): readonly number[] {
    return this.#ledger.lives;
  }

  isLive(after: number): boolean {
    return this.#lives.has(after);
  }

  isRetried(number: number): boolean {
    return this.#retried.has(number);
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
    const retried = this.#retried;
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
