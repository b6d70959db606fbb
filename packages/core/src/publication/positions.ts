import type { Position } from '@leque/protocol';

/** Whether `position` is certainly not after `other`. */
export function isUpTo(position: Position | undefined, other: Position | undefined): boolean {
  if (position === undefined || other === undefined) return false;
  return position.epoch === other.epoch && position.offset <= other.offset;
}

/** The position of the publication before this one. */
export function before(position: Position | undefined): Position | undefined {
  return position && { ...position, offset: position.offset - 1 };
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
