import { type Clock, systemClock, type Telemetry } from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { LRUCache } from 'lru-cache';
import { FetchAllowance } from './fetch-allowance.ts';
import { fetchKeySet } from './key-set.ts';

const FETCH_DEADLINE_MS = 2_500;
/** A key that was removed from the set is trusted for at most this long. */
const REFRESH_MS = 5 * 60_000;
const REFRESH_AFTER_FAILURE_MS = 30_000;
/** A key that was looked for in vain is not looked for again in this time. */
const MISSING_MS = 30_000;
const MAX_MISSING = 1_000;

export interface RemoteKeys {
  /** @throws ProtocolError `unavailable` when the key is not known and cannot be fetched */
  readonly getKey: JWTVerifyGetKey;
  /** The current key set; each fetch makes a new object. An old set is fetched again in the background. */
  keySet(): unknown;
}

export interface RemoteKeysDeps {
  readonly clock?: Clock;
  readonly telemetry?: Telemetry | undefined;
}

interface KnownKeys {
  readonly set: JSONWebKeySet;
  readonly find: JWTVerifyGetKey;
}
type Wanted = Parameters<JWTVerifyGetKey>;

/** Finds the keys of tokens in a remote key set. */
export function remoteKeys(url: string, deps: RemoteKeysDeps = {}): RemoteKeys {
  const keys = new RemoteKeySet(url, deps);
  return { getKey: (...wanted) => keys.find(wanted), keySet: () => keys.current() };
}

/**
 * Asks a JWKS_URL once.
 * @returns a sentence, with the URL, about what is wrong with its answer; undefined when its keys can be used
 */
export async function keySetProblem(url: string): Promise<string | undefined> {
  try {
    await fetchKeySet(url, FETCH_DEADLINE_MS);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * Known keys stay in use while the set cannot be fetched, because an outage of the key server must
 * not lock everybody out. An old set is fetched again in the background. A token with an unknown key
 * makes the set be fetched at once, within an allowance that counts attempts, not successes.
 */
class RemoteKeySet {
  readonly #url: string;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry | undefined;
  readonly #allowance: FetchAllowance;
  /** When each key was looked for in vain. */
  readonly #missing = new LRUCache<string, number>({ max: MAX_MISSING });
  #known: KnownKeys | undefined;
  #fetching: Promise<KnownKeys> | undefined;
  #refreshAt = 0;
  #lastFetchFailed = false;

  constructor(url: string, { clock = systemClock, telemetry }: RemoteKeysDeps) {
    this.#url = url;
    this.#clock = clock;
    this.#telemetry = telemetry;
    this.#allowance = new FetchAllowance(clock);
  }

  current(): JSONWebKeySet | undefined {
    if (this.#known !== undefined) this.#refreshOldKeys();
    return this.#known?.set;
  }

  async find(wanted: Wanted) {
    if (this.#known === undefined) return await this.#findIn(await this.#fetch(), wanted);
    this.#refreshOldKeys();
    const found = await tryFind(this.#known, wanted);
    if (found !== undefined) return found;
    if (!this.#mayBeNew(wanted)) throw new errors.JWKSNoMatchingKey();
    return await this.#findIn(await this.#fetch(), wanted);
  }

  /** Looks into a set that was fetched for this token. */
  async #findIn(keys: KnownKeys, wanted: Wanted) {
    const found = await tryFind(keys, wanted);
    if (found !== undefined) return found;
    this.#missing.set(nameOf(wanted), this.#clock.now());
    throw new errors.JWKSNoMatchingKey();
  }

  /** Whether fetching may bring the key: not when that was tried lately, nor right after a fetch. */
  #mayBeNew(wanted: Wanted): boolean {
    const missedAt = this.#missing.get(nameOf(wanted));
    if (missedAt !== undefined && Math.abs(this.#clock.now() - missedAt) < MISSING_MS) return false;
    const isFresh = !this.#allowance.available && !this.#lastFetchFailed;
    return this.#fetching !== undefined || !isFresh;
  }

  /** Fetches an old set in the background, so that no token waits for it. */
  #refreshOldKeys(): void {
    const now = this.#clock.now();
    if (now < this.#refreshAt && now >= this.#refreshAt - REFRESH_MS) return;
    // After a failure the known keys stay in use. `#fetch` has reported it.
    this.#fetch().catch(() => undefined);
  }

  /** @throws ProtocolError `unavailable` when the set cannot be fetched, or not yet again */
  async #fetch(): Promise<KnownKeys> {
    if (this.#fetching !== undefined) return await this.#fetching;
    if (!this.#allowance.take()) throw keysUnavailable();
    this.#fetching = this.#fetchNow();
    try {
      return await this.#fetching;
    } finally {
      this.#fetching = undefined;
    }
  }

  async #fetchNow(): Promise<KnownKeys> {
    this.#refreshAt = this.#clock.now() + REFRESH_AFTER_FAILURE_MS;
    try {
      const { keys, unusable } = await fetchKeySet(this.#url, FETCH_DEADLINE_MS);
      this.#known = { set: keys, find: createLocalJWKSet(keys) };
      this.#refreshAt = this.#clock.now() + REFRESH_MS;
      this.#lastFetchFailed = false;
      if (unusable.length > 0) {
        this.#reportDegraded(`keys of JWKS_URL are not used: ${unusable.slice(0, 3).join('; ')}`);
      }
      return this.#known;
    } catch (error) {
      this.#lastFetchFailed = true;
      this.#reportDegraded(`the keys of JWKS_URL cannot be fetched: ${(error as Error).message}`);
      throw keysUnavailable(error);
    }
  }

  #reportDegraded(detail: string): void {
    this.#telemetry?.report({ type: 'degraded', part: 'token_keys', detail });
  }
}

async function tryFind(keys: KnownKeys, wanted: Wanted) {
  try {
    return await keys.find(...wanted);
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return undefined;
    throw error;
  }
}

function nameOf([{ kid = '', alg }]: Wanted): string {
  return `${alg} ${kid}`;
}

function keysUnavailable(cause?: unknown): ProtocolError {
  const message = 'the keys that tokens are verified with cannot be fetched';
  return new ProtocolError('unavailable', message, { cause });
}
