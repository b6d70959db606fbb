import type { Position } from '@leque/protocol';
import { isFirstAfter } from './blank-positions.ts';

export type Verdict = 'next' | 'old' | 'gap' | 'new_epoch';

/** Compares the positions that arrive in one channel with the last delivered one (GAP, DUP). */
export class Sequencer {
  #position: Position;

  constructor(position: Position) {
    this.#position = position;
  }

  get position(): Position {
    return this.#position;
  }

  judge(position: Position): Verdict {
    if (position.epoch !== this.#position.epoch)
      return isFirstAfter(this.#position, position) ? 'next' : 'new_epoch';
    if (position.offset <= this.#position.offset) return 'old';
    return position.offset === this.#position.offset + 1 ? 'next' : 'gap';
  }

  moveTo(position: Position): void {
    this.#position = position;
  }
}

/** Whether Redis has less of an epoch than a node has received: its data has gone back. */
export function isBehind(top: Position, received: Position | undefined): boolean {
  return top.epoch === received?.epoch && top.offset < received.offset;
}
