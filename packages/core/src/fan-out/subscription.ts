import { type Cursor, type Position, toCursor } from '@leque/protocol';
import type { HistoryPage } from '../ports/broker.ts';
import { before, isUpTo } from '../publication/positions.ts';
import type { Publication } from '../publication/publication.ts';
import type { LeftOut } from './backlog.ts';
import type { Batch } from './batch.ts';
import { HeldPublications } from './held-publications.ts';
import type { SlowConsumerRule } from './slow-consumer-rules.ts';
import { SlowConsumerState } from './slow-consumer-state.ts';
import type { Subscriber } from './subscriber.ts';

/** Delayed publications are not measured, because the client or its resume caused the delay. */
const UNKNOWN_TIME = 0;

export interface Outcome {
  /** Absent in a channel without history. */
  readonly cursor?: Cursor;
  /** Absent when nothing was to be recovered. */
  readonly recovered?: boolean;
}

/** Narrows a subscription to some of the channel's publications, for example by log level. */
export type Filter = (publication: Publication) => boolean;

/** Holding back for `start`, or delivering, or dropped by the hub. */
type Phase = HeldPublications | 'flowing' | 'ended';

/**
 * Session × channel. A new subscription holds publications back, so that the answer to the client
 * and the publications that it missed can go out before them; `start` lets them flow.
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
  /** Whether the client was sent something that a replay would have to come before (ORD). */
  #delivered = false;
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
   * @returns how many were left out; undefined while the client is still too slow
   */
  flushBacklog(): LeftOut | undefined {
    if (this.#slow === undefined || this.#subscriber.congested) return undefined;
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
    const { position } = this;
    return {
      ...(position !== undefined && { cursor: toCursor(position) }),
      ...(this.#recovered !== undefined && { recovered: this.#recovered }),
    };
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

  /**
   * The client got the publications up to the position in another way; a replay would break ORD.
   */
  deliveredElsewhere(): void {
    this.#delivered = true;
  }

  /** Nothing is to be recovered; an earlier outcome is forgotten. */
  recoverNothing(): void {
    this.#recovered = undefined;
  }

  /**
   * Recovers without a replay.
   * @returns false when the client may have missed something after `since`
   */
  recoverFromDelivered(since: Position): boolean {
    const [first, last] = [this.#since, this.#position];
    if (first === undefined || last?.epoch !== since.epoch) return false;
    if (this.#slow?.waiting) return false;
    if (since.offset < first.offset || since.offset > last.offset) return false;
    this.#recovered = true;
    return true;
  }

  /**
   * Holds back again, so that older publications can be replayed.
   * @returns false when newer ones were already delivered, because a replay would break ORD
   */
  rewind(): boolean {
    if (this.#delivered) return false;
    if (this.#phase === 'flowing') this.#phase = new HeldPublications(this.#subscriber);
    this.#recovered = undefined;
    return true;
  }

  /**
   * Puts the missed publications, which follow `after`, in front of the held ones; unless a resync
   * came meanwhile, because the client must not see older publications after it.
   */
  replay(after: Position, page: HistoryPage): void {
    if (this.#recovered === false) return;
    const held = this.#held;
    if (held === undefined || this.#delivered) {
      // Publications that follow the missed ones were let through meanwhile.
      this.#recovered = false;
      return;
    }
    this.#recovered = page.complete;
    this.moveTo(page.complete ? after : page.position);
    if (!page.complete) return;
    held.prepend(page.publications);
  }

  /**
   * Reports that the missed publications cannot be replayed in order; the client has to fetch anew.
   */
  giveUpRecovery(): void {
    this.#recovered = false;
  }

  /** Lets the held publications and all later ones flow. */
  start(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#phase = 'flowing';
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

  /** Called for all publications of the channel, in order. */
  offer(batch: Batch): void {
    if (this.#takesWhole(batch)) {
      this.#position = batch.last ?? this.#position;
      this.#delivered = true;
      const { size, publishedAtMs } = batch;
      const frame = batch.frameIn(this.#subscriber.format);
      if (this.#subscriber.send(frame, size, publishedAtMs)) batch.takenWhole += 1;
      else for (const publication of batch.publications) this.#countRefused(publication);
    } else {
      const { publishedAtMs } = batch;
      for (const publication of batch.publications) this.#offerOne(publication, publishedAtMs);
    }
  }

  #takesWhole(batch: Batch): boolean {
    return (
      this.#phase === 'flowing' &&
      this.accepts === undefined &&
      batch.follows(this.#position) &&
      !this.#slow?.active
    );
  }

  #offerOne(publication: Publication, publishedAtMs: number): void {
    if (typeof this.#phase !== 'string') this.#hold(publication, this.#phase);
    else if (this.#phase === 'ended') return;
    else if (this.#advance(publication.position)) this.#deliver(publication, publishedAtMs);
  }

  /** Reports to the client that publications up to `position` are missing. */
  resync(position: Position | undefined): void {
    if (isUpTo(position, this.#position)) return; // a recovery has brought what the node missed
    if (this.#held !== undefined) {
      this.#held.take();
      this.#recovered = false;
    }
    this.#slow?.take(); // older than what follows
    this.moveTo(position);
    this.#delivered = true;
    this.#subscriber.send(this.#subscriber.format.encodeResync(this.channel, position), 1);
  }

  /**
   * Without room to hold more, everything flows; a cursor that is presented after that comes too
   * late, and the client is reported `recovered: false` (GAP).
   */
  #hold(publication: Publication, held: HeldPublications): void {
    held.append(publication);
    if (!this.#subscriber.canHold(0)) this.start();
  }

  /**
   * False for a publication that the session has seen already (DUP). Epochs are not compared,
   * because offsets go on in a new epoch, unless a resync says where they start.
   */
  #advance(position: Position | undefined): boolean {
    if (position === undefined) return true;
    const seen = this.#position;
    if (seen !== undefined && position.offset <= seen.offset) return false;
    this.#position = position;
    return true;
  }

  #deliver(publication: Publication, publishedAtMs: number): void {
    this.#delivered = true;
    if (this.accepts !== undefined && !this.accepts(publication)) {
      if (publication.deliveries !== undefined) publication.deliveries.filtered += 1;
      return;
    }
    if (this.#slow?.active) this.#slow.add(publication, this.#position);
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
