/** A live-only event that a client has received. */
export interface LiveEntry {
  /** The number of the stored event after which it was published. */
  readonly after: number;
  /** The highest number that the client had received before it. */
  readonly seen: number;
  /** The connection that brought it, counted from 0. */
  readonly connection: number;
}

/** A stored event that came for the first time after a live-only event that was published later. */
export interface LateNumber {
  readonly number: number;
  readonly live: number;
}

/** The live-only events that one client has received in one channel. */
export interface LiveRecord {
  readonly entries: readonly LiveEntry[];
  readonly late: readonly LateNumber[];
  /** How many the server has said that it left out. */
  readonly dropped: number;
}

/** Records live-only events beside the numbers of stored ones. */
export class LiveLog {
  readonly #entries: LiveEntry[] = [];
  readonly #late: LateNumber[] = [];
  #dropped = 0;
  #highest = 0;

  live(entry: LiveEntry): void {
    this.#entries.push(entry);
    this.#highest = Math.max(this.#highest, entry.after);
  }

  /** Notes a stored event that came for the first time. */
  stored(number: number): void {
    if (number > 0 && number <= this.#highest) this.#late.push({ number, live: this.#highest });
  }

  dropped(count: number): void {
    this.#dropped += count;
  }

  read(): LiveRecord {
    return { entries: this.#entries, late: this.#late, dropped: this.#dropped };
  }
}
