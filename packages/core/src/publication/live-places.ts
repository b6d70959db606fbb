import type { Position } from '@leque/protocol';
import { before, isOvertaken } from './positions.ts';
import type { Publication } from './publication.ts';

/**
 * Notes for each live-only publication where its channel stood when it arrived. Where the node does not
 * know that yet, the place that came with the publication counts, or else that of the next stored one.
 * @param publications of one channel, in the order of arrival
 * @param position where the channel stood before them; undefined while it is not known
 * @returns whether there are live-only ones
 */
export function placeLive(
  publications: readonly Publication[],
  position: Position | undefined,
): boolean {
  let found = false;
  let after = position;
  const fallback = position === undefined ? beforeFirst(publications) : undefined;
  for (const publication of publications) {
    after = publication.position ?? after;
    if (!publication.isLive) continue;
    publication.after = after ?? publication.after ?? fallback;
    found = true;
  }
  return found;
}

function beforeFirst(publications: readonly Publication[]): Position | undefined {
  return before(publications.find(({ position }) => position !== undefined)?.position);
}

/**
 * Puts live-only publications that arrived while a history was read between those of the history: each
 * comes before the first one that it had preceded. Those from before the history come too late.
 * @param arrived in the order of arrival, with their places noted
 * @returns the history with these, and the rest of what has arrived
 */
export function mergeHistory(
  history: readonly Publication[],
  arrived: readonly Publication[],
): { readonly merged: readonly Publication[]; readonly rest: readonly Publication[] } {
  const live = arrived.filter(({ isLive }) => isLive);
  if (live.length === 0) return { merged: history, rest: arrived };
  const start = before(history[0]?.position);
  const merged: Publication[] = [];
  let placed = 0;
  for (const publication of history) {
    const end = live.findIndex(
      ({ after }, index) => index >= placed && !isOvertaken(after, publication.position),
    );
    const next = live.slice(placed, end < 0 ? live.length : end);
    merged.push(...next.filter(({ after }) => !isOvertaken(after, start)), publication);
    placed += next.length;
  }
  const gone = new Set(live.slice(0, placed));
  return { merged, rest: arrived.filter((publication) => !gone.has(publication)) };
}
