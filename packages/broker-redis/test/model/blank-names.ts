import type { Position } from '@leque/protocol';
import type { Ledger } from './ledger.ts';
import type { Blank, Data, Log } from './simulated-data.ts';

export interface BlankQuery {
  readonly channel: string;
  readonly after: Position;
  /** The mode of `leque_history`. */
  readonly mode: unknown;
}

/** Suffix of the epoch of a channel without history; no day passes in the model. */
const DAY = 'n1';

/** Names channels without history, and records in the ledger which names mean the same. */
export class BlankNames {
  readonly #ledger: Ledger;
  readonly #evicts: boolean;
  readonly #names = new Map<string, Blank>();
  /** By channel, the number of names when it last lost a history. Redis does not know this truth. */
  readonly #stale = new Map<string, number>();
  #run = 1;
  #origins: readonly string[] = ['run 1', 'none'];
  #removals = 0;
  #evictions = 0;

  constructor(ledger: Ledger, evicts: boolean) {
    this.#ledger = ledger;
    this.#evicts = evicts;
  }

  /** @param keepsData whether the server has data of the run before it */
  restarted(keepsData: boolean): void {
    const [origin = ''] = this.#origins;
    this.#run += 1;
    this.#origins = [`run ${this.#run}`, keepsData ? origin : 'none'];
    this.#evictions = 0;
  }

  removed(): void {
    this.#removals += 1;
  }

  evicted(): void {
    this.#evictions += 1;
  }

  lost(channel: string): void {
    this.#stale.set(channel, this.#names.size);
  }

  /** Whether the channel has lost a history since it was given this name. */
  isStale(channel: string, blank: Blank): boolean {
    return Number.parseInt(blank, 16) < (this.#stale.get(channel) ?? 0);
  }

  /** Gives a data set its ids, before its first history. */
  name(data: Data): void {
    data.ids ??= [`data ${this.#names.size}`, ...this.#unnamed()];
  }

  /** The position of a channel without history. */
  position(data: Data, channel: string): Position {
    return positionOf(this.current(data, channel));
  }

  current(data: Data, channel: string): Blank {
    return this.#of(data, channel, 'rest')[0] ?? '';
  }

  /** Whether a position of a channel without history still counts while it has none. */
  knows(data: Data, { channel, after, mode }: BlankQuery): boolean {
    if (data.leftovers.has(channel)) return false;
    return this.#of(data, channel, mode).some((blank) => isAt(after, blank));
  }

  /** Whether a position of a channel without history counts in the history that has begun since. */
  precedes(data: Data, { first }: Log, { channel, after, mode }: BlankQuery): boolean {
    if (first === undefined) return false;
    if (isAt(after, first)) return true;
    const blanks = this.#of(data, channel, mode);
    return blanks.includes(first) && blanks.some((blank) => isAt(after, blank));
  }

  #unnamed(): string[] {
    return this.#origins.map((origin) => `${origin}, ${this.#removals} removals`);
  }

  #of({ ids = this.#unnamed() }: Data, channel: string, mode: unknown): Blank[] {
    const lost = this.#evicts ? `${this.#run} ${this.#evictions}` : '';
    const counting = mode === 'rest' ? ids : ids.slice(0, -1);
    const sources = counting.map((id) => `${id} ${channel} ${lost}`);
    const known = sources.flatMap((source) => this.#names.get(source) ?? []);
    const [current = ''] = sources;
    return this.#names.has(current) ? known : [this.#begin(current, known[0]), ...known];
  }

  #begin(source: string, former: Blank | undefined): Blank {
    const blank = toHex(this.#names.size);
    this.#names.set(source, blank);
    const before = former === undefined ? undefined : positionOf(former);
    this.#ledger.beginEpoch(positionOf(blank).epoch, before);
    return blank;
  }
}

export function positionOf(blank: Blank): Position {
  return { epoch: blank + DAY, offset: 0 };
}

/** The epoch of the first publication of a channel. */
export function firstEpochOf(blank: Blank, number: number): string {
  return blank + toHex(number);
}

function isAt({ epoch, offset }: Position, blank: Blank): boolean {
  return offset === 0 && epoch === blank + DAY;
}

function toHex(number: number): string {
  return number.toString(16).padStart(8, '0');
}
