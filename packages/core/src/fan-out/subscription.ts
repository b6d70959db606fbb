import { type Cursor, type Position, toCursor } from '@leque/protocol';
import type { HistoryPage } from '../ports/broker.ts';
import { before, isUpTo } from '../publication/positions.ts';
import type { Publication } from '../publication/publication.ts';
import { Backlog, type LeftOut } from './backlog.ts';
import type { Batch } from './batch.ts';
import type { SlowConsumerRule } from './slow-consumer-rules.ts';
import type { Subscriber } from './subscriber.ts';

/** What waited for its client was published long ago, and no delay of the node's. */
const UNKNOWN_TIME = 0;

/** Leaving out instead of closing, for the clients that read too slowly. */
interface Relief {
  readonly backlog: Backlog;
  /** Told when there is something in it, to call `relieve` later. */
  readonly onBacklog: (subscription: Subscription) => void;
  /** What waits follows this. */
  after: Position | undefined;
}

export interface Outcome {
  /** Absent in a channel without history. */
  readonly cursor?: Cursor;
  /** Absent when nothing was to be recovered. */
  readonly recovered?: boolean;
}

/** Narrows a subscription to some of the channel's publications, for example by log level. */
export type Filter = (publication: Publication) => boolean;

/**
 * Session × channel. It starts holding publications back, so that the answer to the client and
 * what the client missed can go out before them; `start` lets them flow.
 */
export class Subscription {
  readonly channel: string;
  readonly #subscriber: Subscriber;
  /** What passes; everything without it. */
  accepts: Filter | undefined;
  #position: Position | undefined;
  /** Everything after it, up to `#position`, was delivered. */
  #since: Position | undefined;
  #held: Publication[] | undefined = [];
  #heldBytes = 0;
  #recovered: boolean | undefined;
  #delivered = false;
  #relief: Relief | undefined;

  constructor(subscriber: Subscriber, channel: string, accepts?: Filter) {
    this.#subscriber = subscriber;
    this.channel = channel;
    this.accepts = accepts;
  }

  /** From now on, when the client reads too slowly, publications are left out by the rule. */
  mayLeaveOut(rule: SlowConsumerRule, onBacklog: Relief['onBacklog']): void {
    this.#relief = { backlog: new Backlog(rule), onBacklog, after: undefined };
  }

  /**
   * Sends what the client may have of what it was too slow for, after a resync when some was left
   * out (GAP).
   * @returns how many were left out; undefined while it is still too slow
   */
  relieve(): LeftOut | undefined {
    if (this.#subscriber.congested) return undefined;
    const { publications, leftOut } = this.#takeBacklog();
    if (leftOut.conflated + leftOut.dropped > 0) {
      this.#tellLeftOut(publications.find(({ position }) => position));
    }
    for (const publication of publications) this.#send(publication, UNKNOWN_TIME);
    return leftOut;
  }

  /** The client has seen everything up to here; undefined in a channel without history. */
  get position(): Position | undefined {
    return this.#relief?.backlog.empty === false ? this.#relief.after : this.#position;
  }

  get recovered(): boolean | undefined {
    return this.#recovered;
  }

  /** What the client is told of it. */
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

  /** Nothing at or before `position` will be delivered. */
  moveTo(position: Position | undefined): void {
    this.#position = position;
    this.#since = position;
  }

  /** What is before its position reached the client another way: replaying it would break ORD. */
  deliveredElsewhere(): void {
    this.#delivered = true;
  }

  /** Nothing is to be recovered, whatever was before. */
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
    if (this.#relief?.backlog.empty === false) return false;
    if (since.offset < first.offset || since.offset > last.offset) return false;
    this.#recovered = true;
    return true;
  }

  /**
   * Holds back again, so that older publications can be replayed.
   * @returns false when newer ones were already delivered, as replaying would break ORD
   */
  rewind(): boolean {
    if (this.#delivered) return false;
    this.#held ??= [];
    this.#recovered = undefined;
    return true;
  }

  /**
   * Puts what was missed since `after` in front of what is held; unless a resync came meanwhile,
   * after which older publications would only confuse.
   */
  replay(after: Position, page: HistoryPage): void {
    if (this.#recovered === false) return;
    if (this.#held === undefined || this.#delivered) {
      // Whoever let it flow meanwhile has delivered what comes after this.
      this.#recovered = false;
      return;
    }
    this.#recovered = page.complete;
    this.moveTo(page.complete ? after : page.position);
    if (!page.complete) return;
    this.#held = [...page.publications, ...this.#held];
    this.#countHeld(this.#subscriber.bytesOf(page.publications));
  }

  /** The history could not be put in order any more; the client has to fetch anew. */
  giveUpRecovery(): void {
    this.#recovered = false;
  }

  start(): void {
    const held = this.#held ?? [];
    this.#letGo();
    for (const publication of held) this.#offerOne(publication, UNKNOWN_TIME);
  }

  /** What is held is not delivered any more; called when the hub drops the subscription. */
  end(): void {
    this.#letGo();
    this.#takeBacklog();
    this.#relief = undefined;
    this.#recovered = false;
  }

  /** Called by the hub for what comes in the channel, in order. */
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
      this.#held === undefined &&
      this.accepts === undefined &&
      batch.follows(this.#position) &&
      !this.#isRelieved()
    );
  }

  #offerOne(publication: Publication, publishedAtMs: number): void {
    if (this.#held !== undefined) this.#hold(publication, this.#held);
    else if (this.#advance(publication.position)) this.#deliver(publication, publishedAtMs);
  }

  resync(position: Position | undefined): void {
    if (isUpTo(position, this.#position)) return; // a recovery has brought what the node missed
    if (this.#held !== undefined) {
      this.#letGo();
      this.#held = [];
      this.#recovered = false;
    }
    this.#takeBacklog(); // older than what follows
    this.moveTo(position);
    this.#delivered = true;
    this.#subscriber.send(this.#subscriber.format.encodeResync(this.channel, position), 1);
  }

  /**
   * What is held counts like what is queued: nobody may fill the node's memory by waiting (MEM).
   * What is too much flows; cursors that come after it are too late, and are told so (GAP).
   */
  #hold(publication: Publication, held: Publication[]): void {
    held.push(publication);
    this.#countHeld(this.#subscriber.bytesOf([publication]));
    if (!this.#subscriber.canHold(0)) this.start();
  }

  #letGo(): void {
    this.#held = undefined;
    this.#countHeld(-this.#heldBytes);
  }

  #countHeld(change: number): void {
    this.#heldBytes += change;
    this.#subscriber.heldBytes += change;
  }

  /**
   * False for what this session has seen already (DUP), also under the name of an earlier epoch: in
   * a new one offsets go on, unless a resync says where they start.
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
    if (this.#relief !== undefined && this.#isRelieved()) this.#leave(publication, this.#relief);
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

  /** Whether publications go to the backlog now. */
  #isRelieved(): boolean {
    if (this.#relief === undefined) return false;
    return !this.#relief.backlog.empty || this.#subscriber.congested;
  }

  /** What waits counts like what is held (MEM); what is too much is left out. */
  #leave(publication: Publication, relief: Relief): void {
    const { backlog } = relief;
    const bytes = backlog.bytes;
    if (backlog.empty) {
      relief.after = before(publication.position) ?? this.#position;
      relief.onBacklog(this);
    }
    backlog.add(publication, this.#subscriber.bytesOf([publication]));
    while (!this.#subscriber.canHold(backlog.bytes - bytes) && backlog.dropOldest());
    this.#subscriber.heldBytes += backlog.bytes - bytes;
  }

  #takeBacklog(): ReturnType<Backlog['take']> {
    const backlog = this.#relief?.backlog;
    if (backlog === undefined) return { publications: [], leftOut: { conflated: 0, dropped: 0 } };
    this.#subscriber.heldBytes -= backlog.bytes;
    return backlog.take();
  }

  /** The client goes on before the first that follows; up to where it is now some are missing. */
  #tellLeftOut(next: Publication | undefined): void {
    const until = this.#position;
    this.#since = until;
    const position = before(next?.position) ?? until;
    this.#subscriber.send(this.#subscriber.format.encodeResync(this.channel, position, until), 1);
  }
}
