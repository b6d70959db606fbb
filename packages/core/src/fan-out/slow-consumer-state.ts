import type { Position } from '@leque/protocol';
import { before } from '../publication/positions.ts';
import type { Publication } from '../publication/publication.ts';
import { Backlog } from './backlog.ts';
import type { SlowConsumerRule } from './slow-consumer-rules.ts';
import type { Subscriber } from './subscriber.ts';

/** The backlog of one subscription, in a channel that leaves publications out for slow clients. */
export class SlowConsumerState {
  readonly #subscriber: Subscriber;
  readonly #backlog: Backlog;
  readonly #onBacklog: () => void;
  #after: Position | undefined;

  /** @param onBacklog called when the first publication enters an empty backlog */
  constructor(subscriber: Subscriber, rule: SlowConsumerRule, onBacklog: () => void) {
    this.#subscriber = subscriber;
    this.#backlog = new Backlog(rule, (publication) => subscriber.drop(publication));
    this.#onBacklog = onBacklog;
  }

  /** Whether the next publication has to go to the backlog. */
  get active(): boolean {
    return this.waiting || this.#subscriber.congested;
  }

  /** Whether the client has not been sent everything up to the subscription's position. */
  get waiting(): boolean {
    return !this.#backlog.empty;
  }

  /** The position before the backlog; meaningful while something is waiting. */
  get after(): Position | undefined {
    return this.#after;
  }

  /**
   * The backlog counts like held publications (MEM); the oldest are dropped when there is no room.
   * @param position where the subscription stands with this publication
   */
  add(publication: Publication, position: Position | undefined): void {
    const backlog = this.#backlog;
    const bytes = backlog.bytes;
    if (backlog.empty) {
      this.#after = before(publication.position) ?? position;
      this.#onBacklog();
    }
    backlog.add(publication, this.#subscriber.bytesOf([publication]));
    while (!this.#subscriber.canHold(backlog.bytes - bytes) && backlog.dropOldest());
    this.#subscriber.heldBytes += backlog.bytes - bytes;
  }

  /** Empties the backlog. */
  take(): ReturnType<Backlog['take']> {
    this.#subscriber.heldBytes -= this.#backlog.bytes;
    return this.#backlog.take();
  }
}
