import { mergeHistory } from '../publication/live-places.ts';
import type { Publication } from '../publication/publication.ts';
import type { Subscriber } from './subscriber.ts';

/**
 * Publications that a subscription holds back, in order. They count like queued ones, because
 * otherwise a client could fill the node's memory by waiting (MEM).
 */
export class HeldPublications {
  readonly #subscriber: Subscriber;
  #publications: Publication[] = [];
  #bytes = 0;

  constructor(subscriber: Subscriber) {
    this.#subscriber = subscriber;
  }

  /** @returns false when too much is held, although all live-only publications were dropped */
  append(publication: Publication): boolean {
    const bytes = this.#subscriber.bytesOf([publication]);
    if (publication.isLive && !this.#subscriber.canHoldLive(bytes)) {
      this.#subscriber.drop(publication);
      return true;
    }
    this.#publications.push(publication);
    this.#count(bytes);
    if (!this.#subscriber.canHold(0)) this.#dropLive();
    return this.#subscriber.canHold(0);
  }

  /** Puts what was read from the history in front, and live-only publications where they belong. */
  prepend(history: readonly Publication[]): void {
    const { merged, rest } = mergeHistory(history, this.#publications);
    this.#publications = [...merged, ...rest];
    this.#count(this.#subscriber.bytesOf(history));
  }

  /** Empties it. */
  take(): readonly Publication[] {
    const taken = this.#publications;
    this.#publications = [];
    this.#count(-this.#bytes);
    return taken;
  }

  /** Removes live-only publications that the client may have got in another way (DUP). */
  forgetLive(): readonly Publication[] {
    const live = this.#publications.filter(({ isLive }) => isLive);
    if (live.length === 0) return live;
    this.#publications = this.#publications.filter(({ isLive }) => !isLive);
    this.#count(-this.#subscriber.bytesOf(live));
    return live;
  }

  #dropLive(): void {
    for (const publication of this.forgetLive()) this.#subscriber.drop(publication);
  }

  #count(change: number): void {
    this.#bytes += change;
    this.#subscriber.heldBytes += change;
  }
}
