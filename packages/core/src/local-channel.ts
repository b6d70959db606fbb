import type { Position } from '@leque/protocol';
import type { Cancel } from './clock.ts';
import type { Publication } from './publication.ts';
import type { Subscription } from './subscription.ts';

/** One channel on this node: who wants it, and how far it has come. */
export class LocalChannel {
  readonly name: string;
  readonly subscriptions = new Set<Subscription>();
  /** Settles once the broker delivers this channel; rejects when it could not be subscribed. */
  readonly joined: Promise<void>;
  /** Set while the channel waits for its grace period to end. */
  cancelLeave: Cancel | undefined;
  #position: Position | undefined;

  constructor(name: string, subscribed: Promise<Position | undefined>) {
    this.name = name;
    this.joined = subscribed.then((position) => this.#join(position));
  }

  /** The subscription starts where the channel is now. */
  add(subscription: Subscription): void {
    this.subscriptions.add(subscription);
    subscription.moveTo(this.#position);
  }

  deliver(publication: Publication): void {
    // What is live only does not change where the channel stands.
    this.#position = publication.position ?? this.#position;
    for (const subscription of this.subscriptions) subscription.offer(publication);
  }

  resync(position: Position | undefined): void {
    this.#position = position;
    for (const subscription of this.subscriptions) subscription.resync(position);
  }

  /**
   * Those who came while the broker subscribed hold back everything after `position`; those who
   * came after a publication that was quicker than this stand behind that already.
   */
  #join(position: Position | undefined): void {
    this.#position ??= position;
    for (const subscription of this.subscriptions) {
      if (subscription.position === undefined) subscription.moveTo(position);
    }
  }
}
