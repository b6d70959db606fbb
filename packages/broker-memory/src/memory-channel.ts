import { randomBytes } from 'node:crypto';
import {
  type HistoryExtent,
  type HistoryLimit,
  type HistoryPage,
  Publication,
  type Published,
} from '@leque/core';
import type { Event, Position } from '@leque/protocol';

/** Epoch and top outlive the log by far, so that an expired log shows as a gap (as in Redis). */
const META_TTL_MS = 7 * 24 * 3600 * 1000;

interface Remembered {
  readonly published: Published;
  readonly expiresAt: number;
}

/** Log and idempotency keys of one channel. Without a limit it keeps no history. */
export class MemoryChannel {
  readonly #name: string;
  readonly #limit: HistoryLimit | undefined;
  readonly #epoch = randomBytes(8).toString('hex');
  readonly #remembered = new Map<string, Remembered>();
  #log: Publication[] = [];
  #logExpiresAt = Number.POSITIVE_INFINITY;
  #top = 0;
  #metaExpiresAt = 0;

  constructor(name: string, limit: HistoryLimit | undefined) {
    this.#name = name;
    this.#limit = limit;
  }

  get position(): Position | undefined {
    return this.#limit && { epoch: this.#epoch, offset: this.#top };
  }

  /** Notes that a client holds the position as a cursor. */
  touch(now: number): void {
    if (this.#limit !== undefined) this.#metaExpiresAt = now + META_TTL_MS;
  }

  /** The result of an earlier publication with this idempotency key. */
  recall(key: string | undefined): Published | undefined {
    const remembered = key === undefined ? undefined : this.#remembered.get(key);
    return remembered && { ...remembered.published, duplicate: true };
  }

  remember(key: string, published: Published, expiresAt: number): void {
    this.#remembered.set(key, { published, expiresAt });
  }

  /** @param storedAt in microseconds */
  append({ type, json }: Event, now: number, storedAt: number): Publication {
    this.touch(now);
    if (this.#limit !== undefined) this.#top += 1;
    const publication = new Publication({
      channel: this.#name,
      type,
      position: this.position,
      json,
      storedAt,
    });
    if (this.#limit !== undefined) this.#keep(publication, this.#limit, now);
    return publication;
  }

  /** See `Broker.history`. */
  page(after: Position | undefined, { publications: limit, bytes }: HistoryExtent): HistoryPage {
    const { position } = this;
    const missed = after === undefined ? limit : this.#top - after.offset;
    const asked = { publications: Math.min(missed, limit), bytes };
    const found = missed > 0 ? newestOf(this.#log, asked) : [];
    if (after === undefined) return { position, publications: found, complete: true };
    const nothing = { position, publications: [], complete: false };
    if (!this.#reachesBackTo(after)) return nothing;
    const isWhole = found.length === missed && bytesOf(found) <= bytes;
    return isWhole
      ? { ...nothing, publications: found, complete: true }
      : { ...nothing, tooLarge: true };
  }

  /** See `Broker.pageAfter`. */
  pageAfter(after: Position, extent: HistoryExtent): HistoryPage {
    const { position } = this;
    const complete = this.#reachesBackTo(after);
    const following = complete ? this.#log.slice(this.#log.length - this.#missedAfter(after)) : [];
    return { position, publications: firstOf(following, extent), complete };
  }

  #missedAfter({ offset }: Position): number {
    return this.#top - offset;
  }

  #reachesBackTo(after: Position): boolean {
    const missed = this.#missedAfter(after);
    return after.epoch === this.position?.epoch && missed >= 0 && missed <= this.#log.length;
  }

  /** True when only epoch and top are kept. */
  get isEmpty(): boolean {
    return this.#log.length === 0 && this.#remembered.size === 0;
  }

  /** Drops expired entries; true when nothing is left to read. */
  expire(now: number): boolean {
    if (this.#logExpiresAt <= now) this.#log = [];
    for (const [key, { expiresAt }] of this.#remembered) {
      if (expiresAt > now) break; // they all live equally long, so the oldest comes first
      this.#remembered.delete(key);
    }
    return this.isEmpty && this.#metaExpiresAt <= now;
  }

  #keep(publication: Publication, limit: HistoryLimit, now: number): void {
    this.#log.push(publication);
    if (this.#log.length > limit.size) this.#log.shift();
    this.#logExpiresAt = now + limit.ttlMs;
  }
}

/** The newest publications that fit the extent, oldest first. */
function newestOf(log: readonly Publication[], extent: HistoryExtent): Publication[] {
  return firstOf(log.toReversed(), extent).reverse();
}

/** The first publications that fit the extent, at least one. */
function firstOf(publications: readonly Publication[], extent: HistoryExtent): Publication[] {
  const found: Publication[] = [];
  let bytes = 0;
  for (const publication of publications) {
    bytes += publication.body.length;
    const full = found.length === extent.publications || (bytes > extent.bytes && found.length > 0);
    if (full) break;
    found.push(publication);
  }
  return found;
}

function bytesOf(publications: readonly Publication[]): number {
  return publications.reduce((sum, { body }) => sum + body.length, 0);
}
