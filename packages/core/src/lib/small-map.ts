/** With more entries a look-up in an array takes longer than in a hash table. */
const SMALL = 8;
const NONE: readonly never[] = [];

/**
 * A map in the order of insertion that is kept in arrays while it is small. Most sessions have one
 * or two subscriptions, and a hash table for each of them would be most of a session's memory.
 */
export class SmallMap<K, V> {
  // Replaced at each change, by methods that size arrays exactly: growing arrays and spread literals
  // reserve room for many more elements.
  #keys: readonly K[] = NONE;
  #values: readonly V[] = NONE;
  #large: Map<K, V> | undefined;

  get size(): number {
    return this.#large?.size ?? this.#keys.length;
  }

  get(key: K): V | undefined {
    if (this.#large !== undefined) return this.#large.get(key);
    return this.#values[this.#keys.indexOf(key)];
  }

  has(key: K): boolean {
    return this.#large?.has(key) ?? this.#keys.includes(key);
  }

  set(key: K, value: V): void {
    const index = this.#keys.indexOf(key);
    if (this.#large !== undefined) {
      this.#large.set(key, value);
    } else if (index >= 0) {
      this.#values = this.#values.with(index, value);
    } else {
      this.#keys = this.#keys.toSpliced(this.#keys.length, 0, key);
      this.#values = this.#values.toSpliced(this.#values.length, 0, value);
      if (this.#keys.length > SMALL) this.#grow();
    }
  }

  delete(key: K): boolean {
    if (this.#large !== undefined) return this.#large.delete(key);
    const index = this.#keys.indexOf(key);
    if (index < 0) return false;
    this.#keys = this.#keys.toSpliced(index, 1);
    this.#values = this.#values.toSpliced(index, 1);
    return true;
  }

  keys(): Iterable<K> {
    return this.#large?.keys() ?? this.#keys;
  }

  values(): Iterable<V> {
    return this.#large?.values() ?? this.#values;
  }

  #grow(): void {
    this.#large = new Map(this.#keys.map((key, index) => [key, this.#values[index] as V]));
    this.#keys = NONE;
    this.#values = NONE;
  }
}
