import type { Position } from '@leque/protocol';

/** Whether everything up to `position` is known to be up to `other`, too. */
export function isUpTo(position: Position | undefined, other: Position | undefined): boolean {
  if (position === undefined || other === undefined) return false;
  return position.epoch === other.epoch && position.offset <= other.offset;
}

export function before(position: Position | undefined): Position | undefined {
  return position && { ...position, offset: position.offset - 1 };
}
