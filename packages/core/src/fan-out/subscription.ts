import type { Position } from '@leque/protocol';
import type { HistoryPage } from '../ports/broker.ts';
import { type Outcome, outcomeOf } from '../publication/outcome.ts';
import { before, continues, isBefore, isUpTo, isWithin } from '../publication/positions.ts';
import type { Publication } from '../publication/publication.ts';
import type { LeftOut } from './backlog.ts';
import type { Batch } from './batch.ts';
import { HeldPublications } from './held-publications.ts';
import type { SlowConsumerRule } from './slow-consumer-rules.ts';
import { SlowConsumerState } from './slow-consumer-state.ts';
import type { Filter, Subscriber } from './subscriber.ts';

/** Delayed publications are not measured, because the client or its resume caused the delay. */
const UNKNOWN_TIME = 0;

/** Holding back for `start`, or delivering, or dropped by the hub. */
type Phase = HeldPublications | 'flowing' | 'ended';

/**
 * Session × channel. A new subscription holds publications back, so that the answer to the client
 * and the publications that it missed can go out before them; `start` lets them flow. A cursor binds
 * it: nothing is delivered from `present` on until the outcome is known and `start` is called (GAP).
 */
export class Subscription {
  readonly channel: string;
  readonly #subscriber: Subscriber;
  /** Selects the publications for the client; undefined selects all. */
  accepts: Filter | undefined;
  #position: Position | undefined;
  /** Everything after this position, up to `#position`, was delivered. */
  #since: Position | undefined;
  #phase: Phase;
  #recovered: boolean | undefined;
  /** The cursor that the client has presented; undefined once its outcome is answered. */
  #presented: Position | undefined;
  /** Whether the start has to report that publications are missing. */
  #owesResync = false;
  /** Whether the client was sent something that a replay would have to come before (ORD). */
  #delivered = false;
  /** Whether the outcome was of another epoch: what the node delivers of its own is older. */
  #isAhead = false;
  #slow: SlowConsumerState | undefined;

  constructor(subscriber: Subscriber, channel: string, accepts?: Filter) {
    this.#subscriber = subscriber;
    this.channel = channel;
    this.accepts = accepts;
    this.#phase = new HeldPublications(subscriber);
  }

  /**
   * From now on publications are left out by the rule while the client reads too slowly.
   * @param onBacklog called when the first publication waits; `flushBacklog` is to be called later
   */
  setSlowConsumerRule(
    rule: SlowConsumerRule,
    onBacklog: (subscription: Subscription) => void,
  ): void {
    this.#slow = new SlowConsumerState(this.#subscriber, rule, () => onBacklog(this));
  }

  /**
   * Sends the backlog of a client that was too slow, after a resync when some publications were
   * left out (GAP).
   * @returns how many were left out; undefined while the client is too slow, or awaits an outcome
   */
  flushBacklog(): LeftOut | undefined {
    if (this.#slow === undefined || this.#subscriber.congested || this.bound) return undefined;
    const { publications, leftOut } = this.#slow.take();
    if (leftOut.conflated + leftOut.dropped > 0) {
      this.#reportLeftOut(publications.find(({ position }) => position));
    }
    for (const publication of publications) this.#send(publication, UNKNOWN_TIME);
    return leftOut;
  }

  /** The client has seen everything up to here; undefined in a channel without history. */
  get position(): Position | undefined {
    return this.#slow?.waiting ? this.#slow.after : this.#position;
  }

  get recovered(): boolean | undefined {
    return this.#recovered;
  }

  /** The result that is reported to the client. */
  get outcome(): Outcome {
    return outcomeOf(this.position, this.#recovered);
  }

  get holding(): boolean {
    return this.#held !== undefined;
  }

  get #held(): HeldPublications | undefined {
    return typeof this.#phase === 'string' ? undefined : this.#phase;
  }

  /** Nothing at or before `position` will be delivered. */
  moveTo(position: Position | undefined): void {
    this.#position = position;
    this.#since = position;
  }

  /** The client got all up to the position in another way; a replay would break ORD. */
  deliveredElsewhere(): void {
    this.#delivered = true;
    this.#held?.forgetLive();
  }

  /** Nothing is to be recovered; an earlier outcome is forgotten. */
  recoverNothing(): void {
    this.#presented = undefined;
    this.#recovered = undefined;
  }

  /** The client has seen everything up to `since`: holds back until its outcome is answered. */
  present(since: Position): void {
    this.#presented = since;
    this.#recovered = undefined;
    this.hold();
  }

  /** Holds publications back until `start`; the client presents a cursor soon. */
  hold(): void {
    if (this.#phase === 'flowing') this.#phase = new HeldPublications(this.#subscriber);
  }

  /** Whether the client has presented a cursor that is not answered. */
  get bound(): boolean {
    return this.#presented !== undefined;
  }

  /** Whether the outcome of the presented cursor is unknown; `start` does nothing then. */
  get pending(): boolean {
    return this.bound && this.#recovered === undefined;
  }

  /**
   * Finds out the outcome from what was delivered, if possible.
   * @returns whether the history has to be read and given to `replay`
   */
  needsHistory(): boolean {
    const [since, first, last] = [this.#presented, this.#since, this.#position];
    if (since === undefined || !this.pending) return false;
    const isKnown = last?.epoch === since.epoch && !this.#slow?.waiting;
    if (isKnown && isWithin(since.offset, first, last)) this.#recovered = true;
    // A replay before something that was delivered would break ORD.
    else if (this.#delivered && since.offset < (last?.offset ?? 0)) this.#recovered = false;
    else this.#slow?.take(); // the client has seen it on another connection
    return this.pending;
  }

  /** Puts what follows the cursor in front of what is held; unless the outcome is known already. */
  replay({ complete, publications, position }: HistoryPage): void {
    if (!this.pending) return;
    this.#recovered = complete;
    this.#owesResync = false; // the outcome tells the same
    if (complete) this.#held?.prepend(publications);
    if (complete) this.moveTo(this.#presented);
    if (complete || isUpTo(position, this.#position)) return;
    this.#isAhead = position !== undefined && position.epoch !== this.#position?.epoch;
    this.moveTo(position);
  }

  /** The missed publications cannot be replayed in order; the client has to fetch anew. */
  giveUpRecovery(): void {
    this.#recovered = false;
  }

  /** Lets the held publications and all later ones flow, unless an outcome is unknown. */
  start(): void {
    const held = this.#held;
    if (held === undefined || this.pending) return;
    this.#phase = 'flowing';
    this.#presented = undefined;
    if (this.#owesResync) this.#reportResync();
    for (const publication of held.take()) this.#offerOne(publication, UNKNOWN_TIME);
  }

  /** Drops everything that waits, and delivers nothing any more. Called by the hub. */
  end(): void {
    this.#held?.take();
    this.#slow?.take();
    this.#slow = undefined;
    this.#phase = 'ended';
    this.#recovered = false;
  }

  /** Called for all publications, in order. */
  offer(batch: Batch): void {
    const { size, publishedAtMs } = batch;
    if (this.#takesWhole(batch)) {
      this.#position = batch.last ?? this.#position;
      if (batch.first !== undefined) this.#delivered = true;
      const frame = batch.frameIn(this.#subscriber.format);
      if (this.#subscriber.send(frame, size, publishedAtMs)) batch.takenWhole += 1;
      else for (const publication of batch.publications) this.#countRefused(publication);
    } else {
      for (const publication of batch.publications) this.#offerOne(publication, publishedAtMs);
    }
  }

  #takesWhole(batch: Batch): boolean {
    return (
      this.#phase === 'flowing' &&
      this.accepts === undefined &&
      batch.follows(this.#position) &&
      !this.#slow?.active &&
      !(batch.hasLive && (isBefore(batch.after, this.#position) || this.#subscriber.sheds()))
    );
  }

  #offerOne(publication: Publication, publishedAtMs: number): void {
    if (typeof this.#phase !== 'string') this.#hold(publication, this.#phase);
    else if (this.#phase === 'ended') return;
    else if (this.#advance(publication)) this.#deliver(publication, publishedAtMs);
  }

  /** Reports to the client that publications up to `position` are missing; at the start at last. */
  resync(position: Position | undefined): void {
    const isKnown = isUpTo(position, this.#position); // a recovery has brought or reported it
    if (isKnown && this.#isAhead) this.#held?.take(); // of the epoch that the node has left now
    if (isKnown) return;
    // Whether the client misses something after its cursor, the history will show.
    if (this.pending && isUpTo(position, this.#presented)) return;
    this.#slow?.take(); // older than what follows
    this.moveTo(position);
    const held = this.#held;
    if (held === undefined) this.#reportResync();
    else {
      held.take();
      if (this.bound) this.#recovered = false;
      else this.#owesResync = true;
    }
  }

  #reportResync(): void {
    this.#owesResync = false;
    this.#delivered = true;
    const frame = this.#subscriber.format.encodeResync(this.channel, this.#position);
    this.#subscriber.send(frame, 1);
  }

  /** Without room to hold more, everything flows, unless a cursor was presented. */
  #hold(publication: Publication, held: HeldPublications): void {
    if (held.append(publication)) return;
    if (this.bound) this.#discard(held);
    else this.start();
  }

  /**
   * Drops what is held: the client has missed more than it has room for (MEM), which its outcome
   * says (GAP). What the cursor covers is not missed.
   */
  #discard(held: HeldPublications): void {
    const last = held.take().findLast(({ position }) => position !== undefined)?.position;
    if (!this.pending || !isUpTo(last, this.#presented)) this.#recovered = false;
    if (last !== undefined && !isUpTo(last, this.#position)) this.moveTo(last);
  }

  /** False for what the session has seen (DUP). Offsets go on in a new epoch, unless a resync moves them. */
  #advance({ position, after }: Publication): boolean {
    if (position === undefined) return !isBefore(after, this.#position);
    const seen = this.#position;
    if (seen !== undefined && position.offset <= seen.offset) return false;
    if (this.#isAhead && !continues(seen, position)) return false;
    this.#position = position;
    return true;
  }

  #deliver(publication: Publication, publishedAtMs: number): void {
    if (!publication.isLive) this.#delivered = true;
    if (this.accepts !== undefined && !this.accepts(publication)) {
      if (publication.deliveries !== undefined) publication.deliveries.filtered += 1;
      return;
    }
    if (this.#slow?.active) this.#slow.add(publication, this.#position);
    else if (publication.isLive && this.#subscriber.sheds()) this.#subscriber.drop(publication);
    else this.#send(publication, publishedAtMs);
  }

  #send(publication: Publication, publishedAtMs: number): void {
    const frame = publication.frameIn(this.#subscriber.format);
    if (!this.#subscriber.send(frame, 1, publishedAtMs)) this.#countRefused(publication);
    else if (publication.deliveries !== undefined) publication.deliveries.written += 1;
  }

  #countRefused({ deliveries }: Publication): void {
    if (deliveries !== undefined) deliveries[this.#subscriber.tooSlow ? 'slow' : 'closing'] += 1;
  }

  /** The client goes on before `next`; more publications are missing up to its position now. */
  #reportLeftOut(next: Publication | undefined): void {
    const until = this.#position;
    this.#since = until;
    const position = before(next?.position) ?? until;
    this.#subscriber.send(this.#subscriber.format.encodeResync(this.channel, position, until), 1);
  }
}
