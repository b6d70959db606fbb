import { mergeHistory } from '../publication/live-places.ts';
import type { Publication } from '../publication/publication.ts';

/** The session that held publications count for; `Subscriber` says what each member does. */
interface Holder {
  heldBytes: number;
  bytesOf(publications: readonly Publication[]): number;
  canHold(bytes: number): boolean;
  canHoldLive(bytes: number): boolean;
  drop(publication: Publication): void;
}

interface Entry {
  readonly publication: Publication;
  readonly bytes: number;
}

/**
 * The part of the history between what was read and what is held: `none`, one that has to be read, or one
 * that is being read. Only what arrives from the beginning of a read on may follow what it brings.
 */
type Gap = 'none' | 'open' | 'reading';

/**
 * What a subscription holds back, in order: publications that the client has missed, perhaps a gap that
 * the history fills later, and publications that arrived. They count like queued ones, because otherwise
 * a client could fill the node's memory by waiting (MEM).
 */
export class HeldPublications {
  readonly #holder: Holder;
  #missed: Entry[] = [];
  #arrived: Entry[] = [];
  #gap: Gap = 'none';
  /** The stored time of the first publication in the gap; undefined when it is unknown. */
  #gapStoredAt: number | undefined;
  /** Whether the answer to the client is sent, so that these may follow it. */
  released = false;

  constructor(holder: Holder) {
    this.#holder = holder;
  }

  /** Whether the history has to be read before a publication that arrives may be delivered. */
  get hasGap(): boolean {
    return this.#gap !== 'none';
  }

  /** Whether something that the client has missed is still to be sent. */
  get isBehind(): boolean {
    return this.hasGap || this.#missed.length > 0;
  }

  get hasMissed(): boolean {
    return this.#missed.length > 0;
  }

  /** The last publication that was read, if it is held. */
  get lastMissed(): Publication | undefined {
    return this.#missed.at(-1)?.publication;
  }

  /** The stored time of the next publication; 0 when it is unknown, so that it comes first. */
  get nextStoredAt(): number {
    const [first] = this.#missed;
    return (first === undefined ? this.#gapStoredAt : first.publication.storedAt) ?? 0;
  }

  /**
   * Holds a publication that has arrived. Beyond an open gap the history will bring it, unless it is live
   * only.
   * @returns false when too much is held, although all live-only publications were dropped
   */
  append(publication: Publication): boolean {
    if (publication.isLive && !this.#holder.canHoldLive(this.#holder.bytesOf([publication]))) {
      this.#holder.drop(publication);
      return true;
    }
    if (publication.isLive || this.#gap !== 'open') this.#arrived.push(this.#enter(publication));
    if (!this.#holder.canHold(0)) this.#dropLive();
    return this.#holder.canHold(0);
  }

  /** What arrives from now on may follow what is read. */
  beginReading(): void {
    if (this.#gap === 'open') this.#gap = 'reading';
  }

  /**
   * Takes what was read from the history, with live-only publications where they belong.
   * @param isLast whether nothing followed these in the history
   */
  endReading(history: readonly Publication[], isLast: boolean): void {
    const entries = new Map(this.#arrived.map((entry) => [entry.publication, entry]));
    const { merged, rest } = mergeHistory(history, [...entries.keys()]);
    const entryOf = (publication: Publication) => {
      const entry = entries.get(publication) ?? this.#enter(publication);
      entries.delete(publication);
      return entry;
    };
    this.#missed.push(...merged.map(entryOf));
    this.#arrived = rest.map(entryOf);
    this.#leave([...entries.values()]); // live-only ones from before the history
    this.#gapStoredAt = undefined;
    if (!isLast) this.dropArrived();
    else if (this.#gap === 'reading') this.#gap = 'none';
  }

  /** Starts over with what follows another position. */
  replaceMissed(publications: readonly Publication[], isLast: boolean): void {
    this.#leave(this.#missed.splice(0));
    this.endReading(publications, isLast);
  }

  /** Drops what has arrived, which the history brings again, except live-only publications. */
  dropArrived(): void {
    const arrived = this.#arrived;
    this.#arrived = arrived.filter(({ publication }) => publication.isLive);
    this.#leave(arrived.filter(({ publication }) => !publication.isLive));
    this.#gap = 'open';
  }

  /** Removes live-only publications that the client may have got in another way (DUP). */
  forgetLive(): readonly Publication[] {
    const live = this.#arrived.filter(({ publication }) => publication.isLive);
    this.#arrived = this.#arrived.filter(({ publication }) => !publication.isLive);
    this.#leave(live);
    return live.map(({ publication }) => publication);
  }

  /** Drops everything for want of room. The history brings it again. */
  evict(): void {
    const { nextStoredAt } = this;
    const missed = this.#missed.splice(0);
    this.#leave(missed);
    for (const { publication } of missed) if (publication.isLive) this.#holder.drop(publication);
    this.#dropLive();
    this.dropArrived();
    this.#gapStoredAt = nextStoredAt;
  }

  /** Takes the first publication that the client has missed. */
  takeMissed(): Publication | undefined {
    const first = this.#missed.shift();
    if (first !== undefined) this.#leave([first]);
    return first?.publication;
  }

  /** Empties it; nothing is to be read any more. */
  take(): readonly Publication[] {
    const taken = [...this.#missed.splice(0), ...this.#arrived.splice(0)];
    this.#leave(taken);
    this.#gap = 'none';
    return taken.map(({ publication }) => publication);
  }

  #dropLive(): void {
    for (const publication of this.forgetLive()) this.#holder.drop(publication);
  }

  #enter(publication: Publication): Entry {
    const bytes = this.#holder.bytesOf([publication]);
    this.#holder.heldBytes += bytes;
    return { publication, bytes };
  }

  #leave(entries: readonly Entry[]): void {
    for (const { bytes } of entries) this.#holder.heldBytes -= bytes;
  }
}
