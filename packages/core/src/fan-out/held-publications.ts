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

  append(publication: Publication): void {
    this.#publications.push(publication);
    this.#count(this.#subscriber.bytesOf([publication]));
  }

  prepend(publications: readonly Publication[]): void {
    this.#publications = [...publications, ...this.#publications];
    this.#count(this.#subscriber.bytesOf(publications));
  }

  /** Empties it. */
  take(): readonly Publication[] {
    const taken = this.#publications;
    this.#publications = [];
    this.#count(-this.#bytes);
    return taken;
  }

  #count(change: number): void {
    this.#bytes += change;
    this.#subscriber.heldBytes += change;
  }
}
