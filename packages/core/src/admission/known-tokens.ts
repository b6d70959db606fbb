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
 * the faster line: each token is verified again. Four bytes stand for a token, which somebody can
 * forge who has it anyway; the newer one of two tokens in one slot stays.
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

/** Two hashes of the token: there are several look-ups for each client that joins. */
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
