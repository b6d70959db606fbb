/** Sums over the writes of some time, which can count for less later. */
export class WriteSums {
  elapsedMs = 0;
  /** Time that was spent writing. */
  writingMs = 0;
  #writes = 0;
  /** The number of writes that it would have been with each of the windows. */
  readonly #writesWith: Float64Array;
  readonly #windowsMs: readonly number[];

  constructor(windowsMs: readonly number[]) {
    this.#windowsMs = windowsMs;
    this.#writesWith = new Float64Array(windowsMs.length);
  }

  /** Counts a write; for the arguments see `Pace.wrote`. */
  wrote(sinceMs: number, turns: number): void {
    this.#writes += 1;
    for (let index = 0; index < this.#windowsMs.length; index += 1) {
      const windows = sinceMs / (this.#windowsMs[index] ?? 1);
      this.#writesWith[index] = (this.#writesWith[index] ?? 0) + Math.min(turns, windows);
    }
  }

  /** Share of the time that writing would take with a window; above 1 where it would not suffice. */
  shareWith(index: number): number {
    if (this.#writes === 0) return 0;
    const perWriteMs = this.writingMs / this.#writes;
    return (perWriteMs * (this.#writesWith[index] ?? 0)) / this.elapsedMs;
  }

  add(other: WriteSums): void {
    this.elapsedMs += other.elapsedMs;
    this.writingMs += other.writingMs;
    this.#writes += other.#writes;
    for (const [index, writes] of other.#writesWith.entries()) {
      this.#writesWith[index] = (this.#writesWith[index] ?? 0) + writes;
    }
  }

  /** Lets everything so far count for so much less; 0 forgets it. */
  fade(factor: number): void {
    this.elapsedMs *= factor;
    this.writingMs *= factor;
    this.#writes *= factor;
    for (const [index, writes] of this.#writesWith.entries()) {
      this.#writesWith[index] = writes * factor;
    }
  }
}
