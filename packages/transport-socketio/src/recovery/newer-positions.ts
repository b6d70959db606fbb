import { isNewerCursor, toCursor, tryParseCursor } from '@leque/protocol';
import type { CarriedState } from './recovery-ids.ts';

type Cursors = Readonly<Record<string, string>>;

/**
 * The client's state, with the newer of the two positions where a cursor was presented as well: a page
 * has fetched its state at that cursor. Offsets go on in a new epoch, so they compare across epochs. A
 * cursor at a publication of which the client has seen the first event of two is not newer.
 */
export function advancedTo(cursors: Cursors, lost: CarriedState): CarriedState {
  const [positions, partial] = [new Map(lost.positions), new Map(lost.partial)];
  for (const [channel, cursor] of Object.entries(cursors)) {
    const presented = tryParseCursor(cursor);
    const own = partial.get(channel) ?? positions.get(channel);
    if (presented === undefined || own === undefined || presented.offset <= own.offset) continue;
    positions.set(channel, presented);
    partial.delete(channel);
  }
  return { ...lost, positions, partial };
}

/** The cursors, with the client's own positions where these are newer. */
export function newerCursors(cursors: Cursors, lost: CarriedState | undefined): Cursors {
  const newer = Object.entries(cursors).map(([channel, cursor]) => {
    const position = lost?.positions.get(channel);
    const own = position && toCursor(position);
    return [channel, own !== undefined && isNewerCursor(own, cursor) ? own : cursor] as const;
  });
  return Object.fromEntries(newer);
}
