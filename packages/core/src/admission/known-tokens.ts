/** More than the clients that a node usually has; a power of two. */
const SLOTS = 131_072;
/** Primes that spread the bits of a text over a number. */
const [PRIME, OTHER_PRIME] = [0x01000193, 0x85ebca6b];

/** Where a token is kept, and the number that stands for it there. */
interface Place {
  readonly slot: number;
  readonly mark: number;
}

/**
 * Remembers which tokens this node has verified lately. Being known gives no right but a place in
 * the faster line: each token is verified again. A token is kept as a hash of four bytes. Somebody who forges
 * a hash gains only the place. Of two tokens in one slot, the newer one stays.
 */
export class KnownTokens {
  readonly #marks = new Uint32Array(SLOTS);

  has(token: string | undefined): boolean {
    if (token === undefined) return false;
    const { slot, mark } = placeOf(token);
    return this.#marks[slot] === mark;
  }

  add(token: string): void {
    const { slot, mark } = placeOf(token);
    this.#marks[slot] = mark;
  }

  delete(token: string): void {
    const { slot, mark } = placeOf(token);
    if (this.#marks[slot] === mark) this.#marks[slot] = 0;
  }
}

/** Hashes the token twice, by a fast hash, because each join takes several look-ups. */
function placeOf(token: string): Place {
  let slot = 0;
  let mark = token.length;
  for (let index = 0; index < token.length; index += 1) {
    const code = token.charCodeAt(index);
    slot = Math.imul(slot ^ code, PRIME);
    mark = Math.imul(mark ^ code, OTHER_PRIME);
    mark ^= mark >>> 13;
  }
  // 0 is an empty slot.
  return { slot: (slot ^ (slot >>> 15)) & (SLOTS - 1), mark: mark >>> 0 || 1 };
}
