import { type Cursor, type Position, toCursor } from '@leque/protocol';

/** The answer to a subscription, with or without a cursor. */
export interface Outcome {
  /** Absent in a channel without history. */
  readonly cursor?: Cursor;
  /** Absent when nothing was to be recovered. */
  readonly recovered?: boolean;
}

export function outcomeOf(position: Position | undefined, recovered: boolean | undefined): Outcome {
  return {
    ...(position !== undefined && { cursor: toCursor(position) }),
    ...(recovered !== undefined && { recovered }),
  };
}
