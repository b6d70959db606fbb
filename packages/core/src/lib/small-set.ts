/** With more members a look-up in an array takes longer than in a hash table. */
const SMALL = 8;
const NONE: readonly never[] = [];

/**
 * A set in the order of insertion that is kept in an array while it is small. Most channels are of
 * one user and have one or two subscriptions, for which a hash table would take too much memory.
 */
export class SmallSet<T> {
  // Replaced at each change, by methods that size arrays exactly: growing arrays and spread literals
  // reserve room for many more elements.
  #members: readonly T[] = NONE;
  #large: Set<T> | undefined;

  get size(): number {
    return this.#large?.size ?? this.#members.length;
  }

  has(member: T): boolean {
    return this.#large?.has(member) ?? this.#members.includes(member);
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

  /** The set may be changed during the iteration. */
  [Symbol.iterator](): Iterator<T> {
    return (this.#large ?? this.#members)[Symbol.iterator]();
  }

  #grow(): void {
    this.#large = new Set(this.#members);
    this.#members = NONE;
  }
}
