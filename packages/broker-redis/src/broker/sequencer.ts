import type { Position } from '@leque/protocol';

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
      return isFirst(position, this.#position) ? 'next' : 'new_epoch';
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

/** The epoch of a channel that nobody has published to, see functions/epochs.lua. */
const BLANK_EPOCH = /^([0-9a-f]{8})n[0-9a-z]+$/;
const FIRST_EPOCH = /^[0-9a-f]{16}$/;

/** Whether a publication is the first of a channel ever, for a node that was there before it. */
function isFirst({ epoch, offset }: Position, blank: Position): boolean {
  if (offset !== 1 || blank.offset !== 0 || !FIRST_EPOCH.test(epoch)) return false;
  const name = BLANK_EPOCH.exec(blank.epoch)?.[1];
  return name !== undefined && epoch.startsWith(name);
}
