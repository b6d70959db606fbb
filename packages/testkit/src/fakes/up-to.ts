import { type HistoryExtent, MAX_HISTORY_BYTES } from '@leque/core';

/** At most `publications` of a history, of any size that a broker gives in one piece. */
export function upTo(publications: number): HistoryExtent {
  return { publications, bytes: MAX_HISTORY_BYTES };
}
