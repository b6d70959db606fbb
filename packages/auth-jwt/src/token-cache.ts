import type { Clock, Identity } from '@leque/core';

/** Keys that are kept elsewhere are looked after whenever a token is verified, so that has to go on. */
const TRUSTED_MS = 1_000;
const MAX_TOKENS = 1_000;

interface Verified {
  readonly identity: Identity;
  readonly keySet: unknown;
  readonly at: number;
}

/**
 * Tokens that were verified a moment ago. A service publishes with one token thousands of times a
 * second, and verifying it takes longer than everything else that is done with what it sends.
 */
export class TokenCache {
  readonly #clock: Clock;
  readonly #toleranceMs: number;
  /** In the order in which they were verified. */
  readonly #verified = new Map<string, Verified>();

  /** @param toleranceMs how long after its end a token is still good */
  constructor(clock: Clock, toleranceMs: number) {
    this.#clock = clock;
    this.#toleranceMs = toleranceMs;
  }

  /**
   * Undefined for a token that has to be verified.
   * @param keySet what its key would be found in now; a token of another set is not known
   */
  get(token: string, keySet: unknown): Identity | undefined {
    const verified = this.#verified.get(token);
    if (verified === undefined || verified.keySet !== keySet) return undefined;
    const { identity, at } = verified;
    const now = this.#clock.now();
    const fresh = now >= at && now - at < TRUSTED_MS;
    return fresh && now < this.#endOf(identity) ? identity : undefined;
  }

  /** @param keySet what its key was found in */
  add(token: string, identity: Identity, keySet: unknown): void {
    this.#verified.delete(token);
    this.#verified.set(token, { identity, keySet, at: this.#clock.now() });
    if (this.#verified.size <= MAX_TOKENS) return;
    for (const oldest of this.#verified.keys()) {
      this.#verified.delete(oldest);
      break;
    }
  }

  #endOf({ expiresAt }: Identity): number {
    return expiresAt === undefined ? Number.POSITIVE_INFINITY : expiresAt + this.#toleranceMs;
  }
}
