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

/**
 * Publications that wait for a slow client, in the order of arrival: the newest of each key, or as
 * many of the newest as fit.
 */
export class Backlog {
  readonly #rule: SlowConsumerRule;
  readonly #entries = new Map<unknown, Entry>();
  #bytes = 0;
  #conflated = 0;
  #dropped = 0;

  constructor(rule: SlowConsumerRule) {
    this.#rule = rule;
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
    if (this.#leaveOut(key, 'conflated')) this.#conflated += 1;
    this.#entries.set(key, { publication, bytes });
    this.#bytes += bytes;
  }

  /** @returns false when nothing is waiting */
  dropOldest(): boolean {
    for (const key of this.#entries.keys()) {
      this.#dropped += 1;
      return this.#leaveOut(key, 'dropped');
    }
    return false;
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
    this.#bytes = 0;
    this.#conflated = 0;
    this.#dropped = 0;
    return taken;
  }

  #leaveOut(key: unknown, how: 'conflated' | 'dropped'): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    const { deliveries } = entry.publication;
    if (deliveries !== undefined) deliveries[how] += 1;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
    return true;
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
