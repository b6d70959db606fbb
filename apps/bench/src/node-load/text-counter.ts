/** Counts how often a text occurs in a stream, also where it is split between two reads. */
export class TextCounter {
  readonly #needle: string;
  #carry = '';

  /** An empty needle is never found. */
  constructor(needle: string) {
    this.#needle = needle;
  }

  count(chunk: Buffer): number {
    if (this.#needle === '') return 0;
    const parts = (this.#carry + chunk.toString('latin1')).split(this.#needle);
    const last = parts.at(-1) ?? '';
    this.#carry = last.slice(Math.max(0, last.length - this.#needle.length + 1));
    return parts.length - 1;
  }
}
