import type { Cancel, Clock, HistoryExtent, HistoryPage, Publication } from '@leque/core';
import type { Position } from '@leque/protocol';

/** For those who come soon after; all are let go together. */
const KEEP_MS = 1000;
/** Of JSON, in all pages together. */
const MAX_BYTES = 4_000_000;

interface Recent {
  readonly after: Position;
  readonly page: HistoryPage;
  readonly bytes: number;
}

export interface Wanted {
  readonly after: Position;
  readonly extent: HistoryExtent;
  /** Up to here this node has delivered the channel: what is given has to reach as far (GAP). */
  readonly delivered: Position | undefined;
}

/**
 * Histories that were read a moment ago. When hundreds come back to a channel, most of them miss a
 * part of what the first of them missed.
 */
export class RecentPages {
  readonly #clock: Clock;
  readonly #pages = new Map<string, Recent>();
  #bytes = 0;
  #cancelEnd: Cancel | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Only what is whole. */
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

  /** Undefined where it has to be read. */
  find(channel: string, { after, extent, delivered }: Wanted): HistoryPage | undefined {
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

/** It ends no later, and begins no earlier. */
function isNoBetter(page: Omit<Recent, 'bytes'>, kept: Recent): boolean {
  const top = page.page.position;
  const keptTop = kept.page.position;
  if (top === undefined || keptTop === undefined || top.epoch !== keptTop.epoch) return false;
  return top.offset <= keptTop.offset && page.after.offset >= kept.after.offset;
}

function bytesOf(publications: readonly Publication[]): number {
  return publications.reduce((sum, { body }) => sum + body.length, 0);
}
