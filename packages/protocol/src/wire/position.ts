import { ProtocolError } from './errors.ts';

/**
 * The place of a publication in its channel. Offsets in one epoch are 1, 2, 3, … without holes;
 * offset 0 is before the first. A new epoch means that history may have been lost.
 */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

/** A position as clients see it: `EPOCH.OFFSET`. Cursors of one epoch compare by their offsets. */
export type Cursor = string;

const CURSOR = /^([a-z0-9]{1,32})\.(\d{1,15})$/;

export function toCursor(position: Position): Cursor {
  return `${position.epoch}.${position.offset}`;
}

/** Undefined when the text does not have the form of a cursor. */
export function tryParseCursor(cursor: string): Position | undefined {
  const match = CURSOR.exec(cursor);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { epoch: match[1], offset: Number(match[2]) };
}

/** @throws ProtocolError `invalid_command` */
export function parseCursor(cursor: string): Position {
  const position = tryParseCursor(cursor);
  if (position === undefined)
    throw new ProtocolError('invalid_command', 'not a cursor issued by this system');
  return position;
}

/**
 * Whether a cursor is of the same epoch as another one, and has seen more. Cursors of different epochs,
 * and texts that are no cursors, do not compare.
 */
export function isNewerCursor(cursor: Cursor, other: Cursor): boolean {
  const [position, from] = [tryParseCursor(cursor), tryParseCursor(other)];
  return position?.epoch === from?.epoch && (position?.offset ?? 0) > (from?.offset ?? 0);
}
