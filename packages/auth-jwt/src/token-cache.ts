import type { Clock, Identity } from '@leque/core';
import { LRUCache } from 'lru-cache';

/** A remote key set is refreshed when tokens are verified, so the cache must not hold them for long. */
const TRUSTED_MS = 1_000;
const MAX_TOKENS = 1_000;
/** Characters of all tokens together. */
const MAX_LENGTH = 4_000_000;

interface Entry {
  readonly identity: Identity;
  readonly keySet: unknown;
  readonly verifiedAt: number;
}

/**
 * Tokens that were verified within the last second. A service publishes with one token thousands of
 * times a second, and verifying it takes longer than everything else that is done with a request.
 *
 * The library bounds the number of tokens and their length. Expiry stays here, because it follows the wall clock of
 * the tokens: an entry ends with its token, and also when that clock is put back.
 */
export class TokenCache {
  readonly #clock: Clock;
  readonly #toleranceMs: number;
  readonly #entries = new LRUCache<string, Entry>({
    max: MAX_TOKENS,
    maxSize: MAX_LENGTH,
    sizeCalculation: (_entry, token) => token.length,
  });

  /** @param toleranceMs how long a token is accepted after it has expired */
  constructor(clock: Clock, toleranceMs: number) {
    this.#clock = clock;
    this.#toleranceMs = toleranceMs;
  }

  /**
   * Undefined for a token that has to be verified.
   * @param keySet the current key set; tokens that were verified with another one are unknown
   */
  get(token: string, keySet: unknown): Identity | undefined {
    const entry = this.#entries.get(token);
    if (entry === undefined || entry.keySet !== keySet) return undefined;
    const { identity, verifiedAt } = entry;
    const now = this.#clock.now();
    const fresh = now >= verifiedAt && now - verifiedAt < TRUSTED_MS;
    return fresh && now < this.#endOf(identity) ? identity : undefined;
  }

  /** @param keySet the key set that the token was verified with */
  add(token: string, identity: Identity, keySet: unknown): void {
    this.#entries.set(token, { identity, keySet, verifiedAt: this.#clock.now() });
  }

  #endOf({ expiresAt }: Identity): number {
    return expiresAt === undefined ? Number.POSITIVE_INFINITY : expiresAt + this.#toleranceMs;
  }
}
