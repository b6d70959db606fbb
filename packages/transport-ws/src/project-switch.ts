import type { Publication, Subscription } from '@leque/core';
import type { Position } from '@leque/protocol';

/**
 * Takes a session from the firehose to a project's own channel, while both bring that project's
 * publications: each has to come once (DUP).
 */
export class ProjectSwitch {
  #channel: string | undefined;
  #seen: Position | undefined;

  /** From now on it is noted how far the firehose has brought this channel. */
  begin(channel: string): void {
    this.#channel = channel;
    this.#seen = undefined;
  }

  /** The firehose's filter: everything passes. */
  passes({ origin, originPosition }: Publication): boolean {
    if (origin === this.#channel) this.#seen = originPosition;
    return true;
  }

  /** Called before `subscription` starts: it goes on where the firehose ended. */
  finish(subscription: Pick<Subscription, 'position' | 'moveTo'>): void {
    const seen = this.#seen;
    const { position } = subscription;
    this.#channel = undefined;
    if (seen === undefined || seen.epoch !== position?.epoch) return;
    if (seen.offset > position.offset) subscription.moveTo(seen);
  }
}
