import type { Clock } from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import { RequestError } from '@leque/service';
import type { FastifyReply } from 'fastify';
import { LRUCache } from 'lru-cache';
import { refuseFor } from './rate-limits.ts';
import { TokenBuckets } from './token-buckets.ts';

const MINUTE_S = 60;
/** Addresses may try this share of a minute's credentials at once. */
const BURST = 1 / 6;
const MAX_KNOWN = 2_000;
/** A token that was valid is no guess. */
const NO_GUESS = new Set(['token_missing', 'token_expired']);

interface Attempt {
  readonly addressOf: () => string;
  readonly credential: string;
  readonly reply: FastifyReply;
}

/**
 * Limits how many wrong API keys and tokens an address may try. Above the limit it must wait with
 * credentials that are not known; others behind the same address, whose credentials were accepted
 * lately, are served as before.
 */
export class WrongCredentials {
  readonly #perMinute: number;
  readonly #tries: TokenBuckets | undefined;
  readonly #known = new LRUCache<string, true>({ max: MAX_KNOWN });

  /** @param perMinute wrong credentials of one address; 0 means no limit */
  constructor(perMinute: number, clock: Clock) {
    this.#perMinute = perMinute;
    const burst = Math.max(1, Math.floor(perMinute * BURST));
    const rate = { perSecond: perMinute / MINUTE_S, burst };
    this.#tries = perMinute === 0 ? undefined : new TokenBuckets(rate, clock);
  }

  /**
   * Verifies a credential.
   * @throws ProtocolError `rate_limited` without verifying it, and whatever `verify` throws
   */
  async verify<T>({ addressOf, credential, reply }: Attempt, verify: () => Promise<T>): Promise<T> {
    if (this.#tries === undefined) return await verify();
    // The address is asked for last, because finding it takes longer than all the rest.
    const isKnown = this.#known.get(credential) === true;
    if (!isKnown) this.#refuseAtLimit(this.#tries, { addressOf, credential, reply });
    try {
      const accepted = await verify();
      if (!isKnown) this.#known.set(credential, true);
      return accepted;
    } catch (error) {
      this.#known.delete(credential);
      if (isGuess(error)) this.#tries.take(addressOf(), 1);
      throw error;
    }
  }

  #refuseAtLimit(tries: TokenBuckets, { addressOf, reply }: Attempt): void {
    const address = addressOf();
    if (tries.take(address, 0).remaining > 0) return;
    const left = tries.take(address, 1);
    throw refuseFor(reply, left, `at most ${this.#perMinute} wrong credentials per minute`);
  }
}

function isGuess(error: unknown): boolean {
  if (error instanceof RequestError) return true;
  return error instanceof ProtocolError && error.status === 401 && !NO_GUESS.has(error.code);
}
