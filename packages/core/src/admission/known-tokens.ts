import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** More than the clients that a node usually has. */
const MAX_TOKENS = 20_000;

/**
 * Remembers which tokens this node has verified lately. Being known gives no right but a place in
 * the faster line: each token is verified again. Only hashes of tokens are kept.
 */
export class KnownTokens {
  readonly #hashes = new LRUCache<string, true>({ max: MAX_TOKENS });

  has(token: string | undefined): boolean {
    return token !== undefined && this.#hashes.has(hash(token));
  }

  add(token: string): void {
    this.#hashes.set(hash(token), true);
  }

  delete(token: string): void {
    this.#hashes.delete(hash(token));
  }
}

function hash(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
