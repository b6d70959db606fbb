import type { Position } from '@leque/protocol';

/** Publications that follow each other both in their offsets and in their numbers. */
export interface Run extends Position {
  /** Of the first; 0 for publications of somebody else, which have none. */
  readonly number: number;
  readonly count: number;
}

/** A run that still grows. */
export type GrowingRun = { -readonly [Field in keyof Run]: Run[Field] };

/** Whether a publication continues the run; if so, it does from now on. */
export function grow(run: GrowingRun, { epoch, offset }: Position, number: number): boolean {
  const follows = epoch === run.epoch && offset === run.offset + run.count;
  const expected = run.number === 0 ? 0 : run.number + run.count;
  if (!follows || number !== expected) return false;
  run.count += 1;
  return true;
}
