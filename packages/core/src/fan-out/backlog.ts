import type { Publication } from '../publication/publication.ts';
import type { SlowConsumerRule } from './slow-consumer-rules.ts';

interface Entry {
  readonly publication: Publication;
  readonly bytes: number;
}

/** Numbers of publications that a client did not get. */
export interface LeftOut {
  /** Replaced by a newer publication of the same key. */
  readonly conflated: number;
  /** Dropped because there was no room. */
  readonly dropped: number;
}

export const NOTHING_LEFT_OUT: LeftOut = { conflated: 0, dropped: 0 };

/**
 * Publications that wait for a slow client, in the order of arrival: the newest of each key, or as
 * many of the newest as fit.
 */
export class Backlog {
  readonly #rule: SlowConsumerRule;
  readonly #onLiveDropped: (publication: Publication) => void;
  readonly #entries = new Map<unknown, Entry>();
  /** Keys of the live-only publications among the entries. */
  readonly #live = new Set<unknown>();
  #bytes = 0;
  #conflated = 0;
  #dropped = 0;

  /**
   * @param onLiveDropped called for a live-only publication that is left out; no number counts it, for
   *   it leaves no gap
   */
  constructor(rule: SlowConsumerRule, onLiveDropped: (publication: Publication) => void) {
    this.#rule = rule;
    this.#onLiveDropped = onLiveDropped;
  }

  get empty(): boolean {
    return this.#entries.size === 0 && this.#conflated + this.#dropped === 0;
  }

  /** Size of the waiting publications as frames. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param bytes size of the publication as a frame */
  add(publication: Publication, bytes: number): void {
    const key = this.#keyOf(publication);
    this.#leaveOut(key, 'conflated');
    this.#entries.set(key, { publication, bytes });
    this.#bytes += bytes;
    if (publication.isLive) this.#live.add(key);
  }

  /**
   * Drops the oldest live-only publication, or the oldest of all when there is none.
   * @returns false when nothing is waiting
   */
  dropOldest(): boolean {
    const [oldest] = this.#live.size > 0 ? this.#live : this.#entries.keys();
    return this.#leaveOut(oldest, 'dropped');
  }

  /**
   * Returns the waiting publications and the numbers of those left out, and empties the backlog.
   */
  take(): { publications: Publication[]; leftOut: LeftOut } {
    const taken = {
      publications: [...this.#entries.values()].map(({ publication }) => publication),
      leftOut: { conflated: this.#conflated, dropped: this.#dropped },
    };
    this.#entries.clear();
    this.#live.clear();
    this.#bytes = 0;
    this.#conflated = 0;
    this.#dropped = 0;
    return taken;
  }

  #leaveOut(key: unknown, how: 'conflated' | 'dropped'): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
    if (this.#live.delete(key)) this.#onLiveDropped(entry.publication);
    else this.#count(entry.publication, how);
    return true;
  }

  #count({ deliveries }: Publication, how: 'conflated' | 'dropped'): void {
    if (how === 'conflated') this.#conflated += 1;
    else this.#dropped += 1;
    if (deliveries !== undefined) deliveries[how] += 1;
  }

  /** A publication without a key is its own key, so nothing replaces it. */
  #keyOf(publication: Publication): unknown {
    if (this.#rule.kind !== 'conflate') return publication;
    const field = this.#rule.keys.get(publication.type);
    if (field === undefined) return publication;
    const data = publication.event['data'] as Record<string, unknown> | null | undefined;
    const value = data?.[field];
    const isKey = typeof value === 'string' || typeof value === 'number';
    return isKey ? `${publication.type}\n${value}` : publication;
  }
}
