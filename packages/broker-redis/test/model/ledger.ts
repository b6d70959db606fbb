import type { Position } from '@leque/protocol';

/** An event as it was stored; told apart by its number, whatever positions it is given. */
interface Stored {
  readonly channel: string;
  /**
   * The number of the one before it in its channel; of the beginning, for the first. Undefined for
   * what is live only in a channel that has a history.
   */
  readonly previous: number | undefined;
  /** The scheduler's step in which it was published. */
  readonly step: number;
}

interface Epoch {
  /** Up to this offset it is another name for what an earlier epoch has. */
  readonly former: Position | undefined;
  readonly beginning: number;
  readonly numbers: Map<number, number>;
}

/** The truth: what was published, what was before it, and what each position stands for. */
export class Ledger {
  readonly #events = new Map<number, Stored>();
  readonly #epochs = new Map<string, Epoch>();
  #next = 1;

  /** Of what is to be published. */
  takeNumber(): number {
    return this.#next++;
  }

  publish(number: number, stored: Stored): void {
    this.#events.set(number, stored);
  }

  stored(number: number): Stored | undefined {
    return this.#events.get(number);
  }

  /** @param former where it goes on under a new name; none for an epoch that begins anew */
  beginEpoch(epoch: string, former: Position | undefined): void {
    this.#epochs.set(epoch, { former, beginning: -this.#next++, numbers: new Map() });
  }

  place({ epoch, offset }: Position, number: number): void {
    this.#epochs.get(epoch)?.numbers.set(offset, number);
  }

  /** The last event up to there, or the beginning; undefined for a position of nowhere. */
  at({ epoch, offset }: Position): number | undefined {
    const found = this.#epochs.get(epoch);
    if (found === undefined) return undefined;
    const { former, numbers, beginning } = found;
    const number = numbers.get(offset);
    if (number !== undefined) return number;
    if (former !== undefined && offset <= former.offset) return this.at({ ...former, offset });
    return offset === 0 ? beginning : undefined;
  }
}
