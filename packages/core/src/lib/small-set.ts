/** From here on looking a member up in an array takes longer than a hash table does. */
const SMALL = 8;
const NONE: readonly never[] = [];

/** A set in the order of insertion that is an array while it is small: most channels are a user's own. */
export class SmallSet<T> {
  // Made anew at each change, and by methods: arrays that grow, and literals that spread others,
  // reserve room for many more.
  #members: readonly T[] = NONE;
  #large: Set<T> | undefined;

  get size(): number {
    return this.#large?.size ?? this.#members.length;
  }

  add(member: T): void {
    if (this.#large !== undefined) {
      this.#large.add(member);
    } else if (!this.#members.includes(member)) {
      this.#members = this.#members.toSpliced(this.#members.length, 0, member);
      if (this.#members.length > SMALL) this.#grow();
    }
  }

  delete(member: T): boolean {
    if (this.#large !== undefined) return this.#large.delete(member);
    const index = this.#members.indexOf(member);
    if (index < 0) return false;
    this.#members = this.#members.toSpliced(index, 1);
    return true;
  }

  /** May be changed while somebody goes through it. */
  [Symbol.iterator](): Iterator<T> {
    return (this.#large ?? this.#members)[Symbol.iterator]();
  }

  #grow(): void {
    this.#large = new Set(this.#members);
    this.#members = NONE;
  }
}
