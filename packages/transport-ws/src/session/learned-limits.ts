import { LRUCache } from 'lru-cache';

/** The limits of common libraries, and more for large events. A client that still refuses gets the next one. */
const STEPS = [524_288, 262_144, 131_072, 65_536, 32_768, 8192, 4096, 1024];
/** The first limit where no event is larger. */
const FIRST = 65_536;
/** The first refusal may be of a single connection. */
const REFUSALS = 2;
const MAX_CLIENTS = 10_000;
const TTL_MS = 10 * 60_000;

interface Refusals {
  readonly count: number;
  readonly limit: number | undefined;
}

/**
 * Learns how large the messages are that clients take. A client closes with 1009 when its library
 * finds a message too large; it resumes, gets the same event, and closes again, for ever. A node
 * knows only the closes that it has seen, so that a client which changes between nodes needs a few
 * more of them.
 */
export class LearnedLimits {
  readonly #steps: readonly number[];
  readonly #refusals = new LRUCache<number, Refusals>({ max: MAX_CLIENTS, ttl: TTL_MS });

  /** @param maxEventBytes the largest event: a limit above it would not help */
  constructor(maxEventBytes: number) {
    this.#steps = STEPS.filter((step) => step <= Math.max(maxEventBytes, FIRST));
  }

  /** The most bytes of a message to the client; undefined while nothing speaks against any. */
  of(client: number): number | undefined {
    return this.#refusals.get(client)?.limit;
  }

  /** The client has closed a connection with 1009. */
  refused(client: number): void {
    const count = (this.#refusals.get(client)?.count ?? 0) + 1;
    const step = Math.min(count - REFUSALS, this.#steps.length - 1);
    this.#refusals.set(client, { count, limit: this.#steps[step] });
  }
}

/** A number for what tells clients apart; two that share one share their limit. */
export function clientKey(parts: readonly (string | undefined)[]): number {
  let hash = 0;
  for (const char of JSON.stringify(parts)) hash = (Math.imul(hash, 31) + char.charCodeAt(0)) | 0;
  return hash;
}
