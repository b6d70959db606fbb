export type Arrival = 'first' | 'late' | 'duplicate';

/** The publications of one channel that one connection has received in a run. */
export class Sequence {
  #highest: number;
  readonly #missing = new Set<number>();

  /** @param base number of the last publication before the run */
  constructor(base: number) {
    this.#highest = base;
  }

  /** `late` is one that comes for the first time, but after a higher number. */
  take(number: number): Arrival {
    if (number <= this.#highest && !this.#missing.delete(number)) return 'duplicate';
    if (number < this.#highest) return 'late';
    for (let each = this.#highest + 1; each < number; each += 1) this.#missing.add(each);
    this.#highest = number;
    return 'first';
  }
}
