import type { Position } from '@leque/protocol';

/** Whether `position` is certainly not after `other`. */
export function isUpTo(position: Position | undefined, other: Position | undefined): boolean {
  if (position === undefined || other === undefined) return false;
  return position.epoch === other.epoch && position.offset <= other.offset;
}

/**
 * Whether a live-only publication that came after `after` comes too late at `position`. Offsets go on in
 * a new epoch; where one has begun anew, live-only publications may get lost, and never come late.
 */
export function isOvertaken(after: Position | undefined, position: Position | undefined): boolean {
  return after !== undefined && position !== undefined && after.offset < position.offset;
}

/** The position of the publication before this one. */
export function before(position: Position | undefined): Position | undefined {
  return position && { ...position, offset: position.offset - 1 };
}

/** Whether `next` is of the same epoch, or follows where an epoch was renamed. */
export function continues(position: Position | undefined, next: Position): boolean {
  if (position === undefined) return true;
  return next.epoch === position.epoch || next.offset - 1 === position.offset;
}

/** Whether an offset is one of those from `first` to `last`, which are of the same epoch. */
export function isWithin(
  offset: number,
  first: Position | undefined,
  last: Position | undefined,
): boolean {
  if (first === undefined || last === undefined) return false;
  return offset >= first.offset && offset <= last.offset;
}
