import type { Publication } from '../publication/publication.ts';
import type { SlowConsumerRule } from './slow-consumer-rules.ts';

interface Kept {
  readonly publication: Publication;
  readonly bytes: number;
}

/** How many publications a client did not get, and why. */
export interface LeftOut {
  /** A newer one of the same key took the place. */
  readonly conflated: number;
  /** There was no room for them. */
  readonly dropped: number;
}

/**
 * What waits for a client that does not read fast enough, in a channel of which it may miss some:
 * the newest of each key, or as many of the newest as fit. In the order in which it came.
 */
export class Backlog {
  readonly #rule: SlowConsumerRule;
  readonly #kept = new Map<unknown, Kept>();
  #bytes = 0;
  #conflated = 0;
  #dropped = 0;

  constructor(rule: SlowConsumerRule) {
    this.#rule = rule;
  }

  get empty(): boolean {
    return this.#kept.size === 0 && this.#conflated + this.#dropped === 0;
  }

  /** Of what is kept, as it will be written. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param bytes what it takes when it is written */
  add(publication: Publication, bytes: number): void {
    const key = this.#keyOf(publication);
    if (this.#leaveOut(key, 'conflated')) this.#conflated += 1;
    this.#kept.set(key, { publication, bytes });
    this.#bytes += bytes;
  }

  /** @returns false when nothing is kept */
  dropOldest(): boolean {
    for (const key of this.#kept.keys()) {
      this.#dropped += 1;
      return this.#leaveOut(key, 'dropped');
    }
    return false;
  }

  /** Everything that is kept, and how many were left out beside it; empty afterwards. */
  take(): { publications: Publication[]; leftOut: LeftOut } {
    const taken = {
      publications: [...this.#kept.values()].map(({ publication }) => publication),
      leftOut: { conflated: this.#conflated, dropped: this.#dropped },
    };
    this.#kept.clear();
    this.#bytes = 0;
    this.#conflated = 0;
    this.#dropped = 0;
    return taken;
  }

  #leaveOut(key: unknown, how: 'conflated' | 'dropped'): boolean {
    const kept = this.#kept.get(key);
    if (kept === undefined) return false;
    const { deliveries } = kept.publication;
    if (deliveries !== undefined) deliveries[how] += 1;
    this.#kept.delete(key);
    this.#bytes -= kept.bytes;
    return true;
  }

  /** What has no key is its own. */
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
