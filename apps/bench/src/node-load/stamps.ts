/** What identifies a publication in a payload. */
export interface Stamp {
  readonly intendedUs: number;
  readonly channel: number;
  readonly number: number;
}

const STAMP = /"t":"(\d{16})","c":"(\d{5})","n":"(\d{10})/g;
const STAMP_BYTES = 50;

/** Finds stamps in payloads that follow each other, also those that are split between two. */
export class StampFinder {
  #carry = '';

  find(payload: Buffer): Stamp[] {
    const text = this.#carry + payload.toString('latin1');
    const matches = [...text.matchAll(STAMP)];
    const last = matches.at(-1);
    const from = last === undefined ? 0 : last.index + STAMP_BYTES;
    this.#carry = text.slice(Math.max(from, text.length - STAMP_BYTES + 1));
    return matches.map(([, intendedUs, channel, number]) => ({
      intendedUs: Number(intendedUs),
      channel: Number(channel),
      number: Number(number),
    }));
  }
}
