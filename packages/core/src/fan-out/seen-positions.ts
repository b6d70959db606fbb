import type { Position } from '@leque/protocol';
import { continues, isOvertaken, isUpTo, isWithin } from '../publication/positions.ts';
import type { Publication } from '../publication/publication.ts';

/** How far a client has seen a channel. The base of `Subscription`, which is one object: there are many. */
export class SeenPositions {
  /** The client has been sent everything up to here, or told that it is missing. */
  protected last: Position | undefined;
  /** Everything after this position, up to `last`, was delivered. */
  #since: Position | undefined;
  /** Whether the client has said that it has everything up to `#since`. */
  #isClaimed = false;
  /** Whether the client was sent something that a replay would have to come before (ORD). */
  protected delivered = false;
  /** Whether the outcome was of another epoch: what the node delivers of its own is older. */
  protected isAhead = false;

  /** The newest publication that was sent, or that waits because the client is slow. */
  get newest(): Position | undefined {
    return this.last;
  }

  /** Nothing at or before `position` will be delivered. */
  moveTo(position: Position | undefined): void {
    this.last = position;
    this.#since = position;
    this.#isClaimed = false;
  }

  /** The client has said that it has seen everything up to `claimed`. */
  protected continueAt(claimed: Position | undefined): void {
    this.moveTo(claimed);
    this.#isClaimed = true;
  }

  /** Goes on at the top of a history that does not reach back. */
  protected skipTo(position: Position | undefined): void {
    if (isUpTo(position, this.last)) return;
    this.isAhead = position !== undefined && position.epoch !== this.last?.epoch;
    this.moveTo(position);
  }

  /** Some publications up to `last` are left out; the client is told. */
  protected leaveOut(): void {
    this.#since = this.last;
    this.#isClaimed = false;
  }

  /**
   * The outcome of a cursor, as far as it follows from what was delivered: what the client has said to
   * have seen counts as delivered, so that the newer of two cursors decides. Undefined when the history
   * has to be read.
   * @param isWhole whether nothing up to `last` waits to be sent
   */
  protected outcomeOf(cursor: Position, isWhole: boolean): boolean | undefined {
    const { last } = this;
    const first = this.#isClaimed && this.#since ? { ...this.#since, offset: 0 } : this.#since;
    const isKnown = isWhole && last?.epoch === cursor.epoch;
    if (isKnown && isWithin(cursor.offset, first, last)) return true;
    // The first publication of a channel renames the epoch that the cursor has.
    if (isWhole && isUpTo(cursor, this.#since) && isUpTo(this.#since, cursor)) return true;
    // A replay before something that was delivered would break ORD.
    if (this.delivered && cursor.offset < (last?.offset ?? 0)) return false;
    return undefined;
  }

  /** Whether what comes live after `after` is older than what the client has seen. */
  protected hasPassed({ after }: Pick<Publication, 'after'>): boolean {
    if (this.isAhead && after !== undefined && after.epoch !== this.last?.epoch) return true;
    return isOvertaken(after, this.last);
  }

  /** False for what the session has seen (DUP). Offsets go on in a new epoch, unless a resync moves them. */
  protected advance({ position, after }: Publication): boolean {
    const seen = this.last;
    if (position === undefined) return !this.hasPassed({ after });
    if (seen !== undefined && position.offset <= seen.offset) return false;
    if (this.isAhead && !continues(seen, position)) return false;
    this.last = position;
    return true;
  }
}
