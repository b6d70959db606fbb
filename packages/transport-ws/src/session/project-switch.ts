import type { Filter, Publication, Subscription } from '@leque/core';
import type { Position } from '@leque/protocol';

/**
 * Takes a session from the firehose to projects' own channels. For a while both bring what is
 * published to these projects, and each publication has to come once (DUP).
 */
export class ProjectSwitch implements Disposable {
  readonly #firehose: Pick<Subscription, 'accepts'>;
  readonly #seen = new Map<string, Position>();

  /** From now on it is noted how far the firehose brings each project. */
  constructor(firehose: Pick<Subscription, 'accepts'>) {
    this.#firehose = firehose;
    firehose.accepts = (publication) => this.#note(publication);
  }

  /**
   * Called before a project's `subscription` starts, once the firehose has brought everything that
   * the subscription will not: it goes on where the firehose ended.
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

  /** The firehose brings its publications in whole batches again. */
  [Symbol.dispose](): void {
    this.#firehose.accepts = undefined;
  }

  #note({ origin, originPosition }: Publication): boolean {
    if (originPosition !== undefined) this.#seen.set(origin, originPosition);
    return true;
  }
}

/** The firehose's filter for a session that had channels of its own, up to these positions. */
export function whatFollows(ends: ReadonlyMap<string, Position | undefined>): Filter {
  return ({ origin, originPosition }) => {
    const end = ends.get(origin);
    if (end === undefined || end.epoch !== originPosition?.epoch) return true;
    return originPosition.offset > end.offset;
  };
}
