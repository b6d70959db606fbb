import type { Position } from '@leque/protocol';
import type { HistoryPage } from '../ports/broker.ts';
import { type Outcome, outcomeOf } from '../publication/outcome.ts';
import { before, isUpTo } from '../publication/positions.ts';
import type { Publication } from '../publication/publication.ts';
import { HeldPublications } from '../recovery/held-publications.ts';
import type { LeftOut } from './backlog.ts';
import type { Batch } from './batch.ts';
import { SeenPositions } from './seen-positions.ts';
import type { SlowConsumerRule } from './slow-consumer-rules.ts';
import { SlowConsumerState } from './slow-consumer-state.ts';
import type { Filter, Subscriber } from './subscriber.ts';

/** Delayed publications are not measured, because the client or its resume caused the delay. */
const UNKNOWN_TIME = 0;

/** Holding back until it flows, or delivering, or dropped by the hub. */
type Phase = HeldPublications | 'flowing' | 'ended';

/**
 * Session × channel. A new subscription holds publications back until the client is answered. A cursor
 * binds it: nothing is delivered from `present` on until the outcome is known and `release` is called
 * (GAP). `Replay` then sends what was missed, and only its end lets the channel flow.
 */
export class Subscription extends SeenPositions {
  readonly channel: string;
  readonly #subscriber: Subscriber;
  /** Selects the publications for the client; undefined selects all. */
  accepts: Filter | undefined;
  #phase: Phase;
  #recovered: boolean | undefined;
  /** The cursor that the client has presented; undefined once its outcome is answered. */
  #presented: Position | undefined;
  /** Whether the start has to report that publications are missing. */
  #owesResync = false;
  #slow: SlowConsumerState | undefined;

  constructor(subscriber: Subscriber, channel: string, accepts?: Filter) {
    super();
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
    return this.#slow?.waiting ? this.#slow.after : this.last;
  }

  get recovered(): boolean | undefined {
    return this.#recovered;
  }

  /** The result that is reported to the client. */
  get outcome(): Outcome {
    return outcomeOf(this.position, this.#recovered);
  }

  get holding(): boolean {
    return this.held !== undefined;
  }

  /** What is held back; undefined while the channel flows. */
  get held(): HeldPublications | undefined {
    return typeof this.#phase === 'string' ? undefined : this.#phase;
  }

  /** The client got all up to the position in another way; a replay would break ORD. */
  deliveredElsewhere(): void {
    this.delivered = true;
    this.held?.forgetLive();
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
    else if (this.held !== undefined) this.held.released = false;
  }

  /** Whether the client has presented a cursor that is not answered. */
  get bound(): boolean {
    return this.#presented !== undefined;
  }

  /** Whether the outcome of the presented cursor is unknown; nothing is released then. */
  get pending(): boolean {
    return this.bound && this.#recovered === undefined;
  }

  /**
   * Finds out the outcome from what was delivered, if possible.
   * @returns whether the history has to be read and given to `replay`
   */
  needsHistory(): boolean {
    if (this.#presented === undefined || !this.pending) return false;
    this.#recovered = this.outcomeOf(this.#presented, !this.#slow?.waiting);
    if (this.pending) this.#slow?.take(); // the client has seen it on another connection
    return this.pending;
  }

  /** Puts what follows the cursor in front of what is held; unless the outcome is known already. */
  replay(page: HistoryPage): void {
    if (!this.pending) return;
    this.#recovered = page.complete || page.tooLarge === true;
    this.#owesResync = false; // the outcome tells the same
    this.held?.replaceMissed(page.publications, !page.tooLarge);
    if (this.#recovered) this.continueAt(this.#presented);
    else this.skipTo(page.position);
  }

  /** The missed publications cannot be replayed in order; the client has to fetch anew. */
  giveUpRecovery(): void {
    this.#recovered = false;
  }

  /** The client was answered. @returns what may follow; undefined when all flows, or for no outcome */
  release(): HeldPublications | undefined {
    const { held } = this;
    if (held === undefined || this.pending) return undefined;
    this.#presented = undefined;
    held.released = true;
    if (this.#owesResync) this.#reportResync();
    return held;
  }

  /** Sends a publication that the client has missed, unless it has seen it. */
  bring(missed: Publication): void {
    if (this.advance(missed)) this.#deliver(missed, UNKNOWN_TIME);
  }

  /** Reports that the history has lost what the client has missed, up to `position` (GAP). */
  miss(position: Position | undefined): void {
    this.skipTo(position);
    this.#reportResync();
  }

  /** Lets what is released and all later publications flow, unless the history has to be read first. */
  flow(): void {
    const { held } = this;
    if (held === undefined || !held.released || held.hasGap) return;
    this.#phase = 'flowing';
    for (const publication of held.take()) this.#offerOne(publication, UNKNOWN_TIME);
  }

  /**
   * Lets what is held and all later publications flow now, unless an outcome is unknown. What is still
   * to be read from the history is given up, and the client is told (GAP).
   */
  start(): void {
    if (this.release()?.hasGap) {
      this.held?.take();
      this.moveTo(undefined);
      this.#reportResync();
    }
    this.flow();
  }

  /** Drops everything that waits, and delivers nothing any more. Called by the hub. */
  end(): void {
    this.held?.take();
    this.#slow?.take();
    this.#slow = undefined;
    this.#phase = 'ended';
    this.#recovered = false;
  }

  /** Called for all publications, in order. */
  offer(batch: Batch): void {
    const { size, publishedAtMs } = batch;
    if (this.#takesWhole(batch)) {
      this.last = batch.last ?? this.last;
      if (batch.first !== undefined) this.delivered = true;
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
      batch.follows(this.last) &&
      !this.#slow?.active &&
      !(batch.hasLive && (this.hasPassed(batch) || this.#subscriber.sheds()))
    );
  }

  #offerOne(publication: Publication, publishedAtMs: number): void {
    if (typeof this.#phase !== 'string') this.#hold(publication, this.#phase);
    else if (this.#phase === 'ended') return;
    else if (this.advance(publication)) this.#deliver(publication, publishedAtMs);
  }

  /** Reports to the client that publications up to `position` are missing; at the start at last. */
  resync(position: Position | undefined): void {
    const { held } = this;
    if (held?.released && held.isBehind) {
      held.dropArrived(); // what is missing, the history will show
      return;
    }
    const isKnown = isUpTo(position, this.last); // a recovery has brought or reported it
    if (isKnown && this.isAhead) held?.take(); // of the epoch that the node has left now
    if (isKnown) return;
    // Whether the client misses something after its cursor, the history will show.
    if (this.pending && isUpTo(position, this.#presented)) return;
    this.#slow?.take(); // older than what follows
    this.moveTo(position);
    held?.take();
    if (held === undefined) this.#reportResync();
    else if (this.bound) this.#recovered = false;
    else this.#owesResync = true;
  }

  #reportResync(): void {
    this.#owesResync = false;
    this.delivered = true;
    const frame = this.#subscriber.format.encodeResync(this.channel, this.last);
    this.#subscriber.send(frame, 1);
  }

  /** When there is no room, everything flows (MEM); after a cursor the history brings it again. */
  #hold(publication: Publication, held: HeldPublications): void {
    if (held.append(publication)) return;
    if (this.bound || held.isBehind) held.dropArrived();
    else this.start();
  }

  #deliver(publication: Publication, publishedAtMs: number): void {
    if (!publication.isLive) this.delivered = true;
    if (this.accepts !== undefined && !this.accepts(publication)) {
      if (publication.deliveries !== undefined) publication.deliveries.filtered += 1;
      return;
    }
    if (this.#slow?.active) this.#slow.add(publication, this.last);
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
    const until = this.last;
    this.leaveOut();
    const position = before(next?.position) ?? until;
    this.#subscriber.send(this.#subscriber.format.encodeResync(this.channel, position, until), 1);
  }
}
