import type { Position } from '@leque/protocol';

/** Publications whose offsets and numbers are consecutive. */
export interface Run extends Position {
  /** Number of the first publication; 0 for publications of others, which have none. */
  readonly number: number;
  readonly count: number;
}

/** A run to which publications are added. */
export type GrowingRun = { -readonly [Field in keyof Run]: Run[Field] };

/** Adds a publication that continues the run. @returns whether it did */
export function grow(run: GrowingRun, { epoch, offset }: Position, number: number): boolean {
  const follows = epoch === run.epoch && offset === run.offset + run.count;
  const expected = run.number === 0 ? 0 : run.number + run.count;
  if (!follows || number !== expected) return false;
  run.count += 1;
  return true;
}
