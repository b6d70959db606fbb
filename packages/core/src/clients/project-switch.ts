import type { Position } from '@leque/protocol';
import type { Filter } from '../fan-out/subscriber.ts';
import type { Subscription } from '../fan-out/subscription.ts';
import type { Publication } from '../publication/publication.ts';

/**
 * Moves projects of a session from the firehose to their own channels. For a while both bring the
 * publications of these projects, and each has to be delivered once (DUP).
 */
export class ProjectSwitch {
  readonly #seen = new Map<string, Position>();

  /** Starts to note how far the firehose has brought each project, until it gets another filter. */
  constructor(firehose: Pick<Subscription, 'accepts'>) {
    const { accepts } = firehose;
    firehose.accepts = (publication) => accepts?.(publication) !== false && this.#note(publication);
  }

  /**
   * Lets a project's `subscription` continue where the firehose ended. Call it before the
   * subscription starts, once the firehose has brought everything that the subscription will not.
   */
  finish(
    subscription: Pick<Subscription, 'channel' | 'position' | 'moveTo' | 'deliveredElsewhere'>,
  ): void {
    subscription.deliveredElsewhere();
    const seen = this.#seen.get(subscription.channel);
    const { position } = subscription;
    if (seen === undefined || seen.epoch !== position?.epoch) return;
    if (seen.offset > position.offset) subscription.moveTo(seen);
  }

  #note({ origin, originPosition }: Publication): boolean {
    if (originPosition !== undefined) this.#seen.set(origin, originPosition);
    return true;
  }
}

/**
 * The firehose's filter for a session that has had these channels up to these positions. Live-only
 * publications of these channels, whose place is unknown, are left out: none may come twice.
 */
export function acceptsAfter(ends: ReadonlyMap<string, Position | undefined>): Filter {
  return ({ origin, originPosition, isLive }) => {
    const end = ends.get(origin);
    if (isLive) return !ends.has(origin);
    if (end === undefined || end.epoch !== originPosition?.epoch) return true;
    return originPosition.offset > end.offset;
  };
}
