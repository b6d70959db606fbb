import type { Cancel, Clock, HistoryExtent, HistoryPage, Publication } from '@leque/core';
import type { Position } from '@leque/protocol';

/** All pages are dropped together, this long after the first of them was kept. */
const KEEP_MS = 1000;
/** Size of the JSON in all pages together. */
const MAX_BYTES = 4_000_000;

interface RecentPage {
  readonly after: Position;
  readonly page: HistoryPage;
  readonly bytes: number;
}

export interface RecentPageQuery {
  readonly after: Position;
  readonly extent: HistoryExtent;
  /** Up to here this node has delivered the channel: a page has to reach as far (GAP). */
  readonly delivered: Position | undefined;
}

/**
 * Keeps histories that were read a moment ago. When hundreds of clients come back to a channel, most
 * of them have missed a part of what the first of them had missed.
 */
export class RecentPages {
  readonly #clock: Clock;
  readonly #pages = new Map<string, RecentPage>();
  #bytes = 0;
  #cancelEnd: Cancel | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Keeps a page that is complete, unless the kept one covers it or there is no room. */
  keep(channel: string, after: Position, page: HistoryPage): void {
    const kept = this.#pages.get(channel);
    if (!isWhole(after, page) || (kept !== undefined && isNoBetter({ after, page }, kept))) return;
    this.#drop(channel);
    const bytes = bytesOf(page.publications);
    if (this.#bytes + bytes > MAX_BYTES) return;
    this.#bytes += bytes;
    this.#pages.set(channel, { after, page, bytes });
    this.#cancelEnd ??= this.#clock.after(KEEP_MS, () => this.clear());
  }

  /** Returns undefined when the page has to be read from Redis. */
  find(channel: string, { after, extent, delivered }: RecentPageQuery): HistoryPage | undefined {
    const kept = this.#pages.get(channel);
    const top = kept?.page.position;
    if (kept === undefined || top === undefined || delivered === undefined) return undefined;
    const isSame = [kept.after, after, delivered].every(({ epoch }) => epoch === top.epoch);
    if (!isSame || after.offset < kept.after.offset || after.offset > top.offset) return undefined;
    if (delivered.offset > top.offset) return undefined;
    const publications = kept.page.publications.slice(after.offset - kept.after.offset);
    const fits =
      publications.length <= extent.publications && bytesOf(publications) <= extent.bytes;
    return fits ? { ...kept.page, publications } : undefined;
  }

  clear(): void {
    this.#cancelEnd?.();
    this.#cancelEnd = undefined;
    this.#pages.clear();
    this.#bytes = 0;
  }

  #drop(channel: string): void {
    this.#bytes -= this.#pages.get(channel)?.bytes ?? 0;
    this.#pages.delete(channel);
  }
}

function isWhole(after: Position, { complete, position, publications }: HistoryPage): boolean {
  if (!complete || position?.epoch !== after.epoch) return false;
  return publications.length === position.offset - after.offset;
}

/** Whether `page` ends no later and begins no earlier than the kept page. */
function isNoBetter(page: Omit<RecentPage, 'bytes'>, kept: RecentPage): boolean {
  const top = page.page.position;
  const keptTop = kept.page.position;
  if (top === undefined || keptTop === undefined || top.epoch !== keptTop.epoch) return false;
  return top.offset <= keptTop.offset && page.after.offset >= kept.after.offset;
}

/** Size of the JSON of `publications`. */
export function bytesOf(publications: readonly Publication[]): number {
  return publications.reduce((sum, { body }) => sum + body.length, 0);
}
