import type { Position } from '@leque/protocol';
import type { Filter } from '../fan-out/subscriber.ts';
import type { Subscription } from '../fan-out/subscription.ts';
import type { Publication } from '../publication/publication.ts';

/**
 * Moves a session from the firehose to the channels of projects. For a while both bring the
 * publications of these projects, and each has to be delivered once (DUP).
 */
export class ProjectSwitch implements Disposable {
  readonly #firehose: Pick<Subscription, 'accepts'>;
  readonly #seen = new Map<string, Position>();

  /** Starts to note how far the firehose has brought each project. */
  constructor(firehose: Pick<Subscription, 'accepts'>) {
    this.#firehose = firehose;
    firehose.accepts = (publication) => this.#note(publication);
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

  /** Removes the filter, so that the firehose delivers its batches whole again. */
  [Symbol.dispose](): void {
    this.#firehose.accepts = undefined;
  }

  #note({ origin, originPosition }: Publication): boolean {
    if (originPosition !== undefined) this.#seen.set(origin, originPosition);
    return true;
  }
}

/** The firehose's filter for a session that has had these channels up to these positions. */
export function acceptsAfter(ends: ReadonlyMap<string, Position | undefined>): Filter {
  return ({ origin, originPosition }) => {
    const end = ends.get(origin);
    if (end === undefined || end.epoch !== originPosition?.epoch) return true;
    return originPosition.offset > end.offset;
  };
}
