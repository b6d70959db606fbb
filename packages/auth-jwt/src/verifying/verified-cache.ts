import type { Clock } from '@leque/core';
import { LRUCache } from 'lru-cache';

/** The bounds of a cache, and how long it may be trusted. */
export interface CacheLimits {
  readonly entries: number;
  /** Characters of all JWTs together. */
  readonly length: number;
  /** Milliseconds for which an entry counts after it was verified. */
  readonly trustedMs: number;
  /** Milliseconds for which a JWT is accepted after it has expired. */
  readonly toleranceMs: number;
}

/** The proof of a JWT ends with the JWT. */
interface Expiring {
  /** Milliseconds since the Unix epoch; undefined for something that never expires. */
  readonly expiresAt: number | undefined;
}

interface Entry<T> {
  readonly verified: T;
  readonly keySet: unknown;
  readonly verifiedAt: number;
}

/**
 * JWTs that were verified lately, with what they prove. Verifying one takes longer than everything else
 * that is done with a request.
 *
 * The library bounds the number of entries and their length. Expiry stays here, because it follows the
 * wall clock: an entry ends with its JWT, and also when that clock is put back.
 */
export class VerifiedCache<T extends Expiring> {
  readonly #clock: Clock;
  readonly #limits: CacheLimits;
  /** Undefined until the first JWT, because the library takes memory for all entries at once. */
  #entries: LRUCache<string, Entry<T>> | undefined;

  constructor(clock: Clock, limits: CacheLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /**
   * Undefined for a JWT that has to be verified.
   * @param keySet the current key set; JWTs that were verified with another one are unknown
   */
  get(jwt: string, keySet: unknown): T | undefined {
    const entry = this.#entries?.get(jwt);
    if (entry === undefined || entry.keySet !== keySet) return undefined;
    const { verified, verifiedAt } = entry;
    const now = this.#clock.now();
    const fresh = now >= verifiedAt && now - verifiedAt < this.#limits.trustedMs;
    return fresh && now < this.#endOf(verified) ? verified : undefined;
  }

  /** @param keySet the key set that the JWT was verified with */
  add(jwt: string, verified: T, keySet: unknown): void {
    const { entries: max, length: maxSize } = this.#limits;
    this.#entries ??= new LRUCache({ max, maxSize, sizeCalculation: (_, { length }) => length });
    this.#entries.set(jwt, { verified, keySet, verifiedAt: this.#clock.now() });
  }

  #endOf({ expiresAt }: Expiring): number {
    return expiresAt === undefined
      ? Number.POSITIVE_INFINITY
      : expiresAt + this.#limits.toleranceMs;
  }
}
