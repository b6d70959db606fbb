import type { Position } from '@leque/protocol';

/** A published event; its number identifies it whatever its position. */
interface Stored {
  readonly channel: string;
  /**
   * The number of the event before it in its channel, or of the beginning. Undefined for an event
   * that is live only in a channel with history.
   */
  readonly previous: number | undefined;
  /** For an event that is live only, the epoch in which it says after which position it comes. */
  readonly placedIn?: string | undefined;
  /** The step of the scheduler in which it was published. */
  readonly step: number;
}

interface Epoch {
  /** Up to this position the epoch has the publications of an earlier one. */
  readonly former: Position | undefined;
  readonly beginning: number;
  readonly numbers: Map<number, number>;
}

/** The truth: what was published, what preceded it, and which event each position stands for. */
export class Ledger {
  readonly #events = new Map<number, Stored>();
  readonly #epochs = new Map<string, Epoch>();
  #next = 1;

  /** Returns the number of the next event. */
  takeNumber(): number {
    return this.#next++;
  }

  publish(number: number, stored: Stored): void {
    this.#events.set(number, stored);
  }

  stored(number: number): Stored | undefined {
    return this.#events.get(number);
  }

  /** @param former the position that the epoch continues; undefined for a new history */
  beginEpoch(epoch: string, former: Position | undefined): void {
    this.#epochs.set(epoch, { former, beginning: -this.#next++, numbers: new Map() });
  }

  place({ epoch, offset }: Position, number: number): void {
    this.#epochs.get(epoch)?.numbers.set(offset, number);
  }

  /** The last event up to a position, or the beginning; undefined for an unknown position. */
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
