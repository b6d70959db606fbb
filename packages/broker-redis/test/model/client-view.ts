import { type Cursor, type Position, parseCursor, toCursor } from '@leque/protocol';
import type { Ledger } from './ledger.ts';
import type { ChannelOutcome, Message } from './wire-format.ts';

export type Publication = Extract<Message, { kind: 'publication' }>;
export type Resync = Extract<Message, { kind: 'resync' }>;

/** A client's knowledge of one channel over all its connections; checks each step. */
export class ClientView {
  /** The cursor of the last message that it read; it presents this when it comes back. */
  cursor: Cursor | undefined;
  subscribed = false;
  /** The number of the last event that it has seen, or after which an outcome lets it go on. */
  last: number | undefined;
  readonly #ledger: Ledger;
  /** Events seen since it has subscribed. */
  readonly #seen = new Set<number>();
  /** Events seen before, when it resumes from there. */
  readonly #seenBefore = new Set<number>();
  /** Up to this position publications may be missing. */
  #until: Position | undefined;
  #flowed = false;
  /** The newest live-only event since the client connected, or presented a cursor. */
  #lastLive = 0;
  /** Whether an outcome has set the position, and no publication has come since. */
  #isSetByOutcome = false;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Whether publications have come on this connection. */
  get flowed(): boolean {
    return this.#flowed;
  }

  /**
   * Begins a new connection.
   * @param awaitsOutcome whether an outcome will set the position
   */
  connect(awaitsOutcome: boolean): void {
    for (const number of this.#seen) this.#seenBefore.add(number);
    this.#seen.clear();
    this.subscribed = !awaitsOutcome;
    this.#flowed = false;
    this.#until = undefined;
    this.#lastLive = 0;
    if (!awaitsOutcome) this.forget();
  }

  /** Ends the subscription, by the client or by its grants; the cursor is kept. */
  leave(): void {
    for (const number of this.#seen) this.#seenBefore.add(number);
    this.#seen.clear();
    this.#flowed = false;
    this.subscribed = false;
  }

  /** Begins without a past: the client reloads its state, and goes on from whatever comes. */
  forget(): void {
    this.cursor = undefined;
    this.last = undefined;
    this.#seen.clear();
    this.#seenBefore.clear();
  }

  /** @returns the violated rule, if any */
  read({ number, position }: Publication): string | undefined {
    const stored = this.#ledger.stored(number);
    if (stored === undefined) return 'GAP: an event that was never published';
    if (this.#seen.has(number)) return `DUP: ${number} again`;
    this.#seen.add(number);
    if (stored.previous === undefined) return this.#readLive(number, stored.placedIn);
    const problem = this.#seenBefore.has(number)
      ? `DUP: ${number}, as on an earlier connection`
      : (this.#judge(number, stored.previous, position) ?? this.#judgeLive(number, position));
    this.last = number;
    this.#isSetByOutcome = false;
    this.#flowed = true;
    if (position !== undefined) this.cursor = toCursor(position);
    return problem;
  }

  /** Within an epoch, a live-only event comes before every stored one that followed it (EV7.1, EV7.8). */
  #readLive(number: number, epoch: string | undefined): string | undefined {
    const { last, cursor } = this;
    if (epoch === undefined || cursor === undefined || epoch !== parseCursor(cursor).epoch) return;
    this.#lastLive = number;
    return last !== undefined && last > number ? `ORD: live ${number} behind ${last}` : undefined;
  }

  #judgeLive(number: number, position: Position | undefined): string | undefined {
    const isSame = this.cursor !== undefined && parseCursor(this.cursor).epoch === position?.epoch;
    if (!isSame || number > this.#lastLive) return undefined;
    return `ORD: ${number} behind live ${this.#lastLive}`;
  }

  resync({ position, until }: Resync): void {
    this.last = position && this.#ledger.at(position);
    this.#until = until;
    this.#isSetByOutcome = false;
    this.cursor = position && toCursor(position);
  }

  /** @returns the violated rule, if any */
  outcome({ cursor, recovered, code }: ChannelOutcome, asked: boolean): string | undefined {
    if (code !== undefined) {
      this.leave();
      return undefined;
    }
    this.#lastLive = 0; // it came before the cursor was presented
    const goesOn = recovered === true || (this.subscribed && recovered === undefined && !asked);
    this.subscribed = true;
    if (cursor === undefined) {
      if (recovered === false) this.last = undefined; // the client goes on from whatever comes
      return undefined;
    }
    if (!goesOn) this.#seenBefore.clear();
    const position = parseCursor(cursor);
    const number = this.#ledger.at(position);
    if (number === undefined) return `GAP: a cursor that was never valid, ${cursor}`;
    const problem = goesOn ? this.#goOn(number) : this.#startFrom(number, position);
    this.cursor = cursor;
    this.#isSetByOutcome = true;
    return problem;
  }

  #judge(number: number, previous: number, position: Position | undefined): string | undefined {
    const { last } = this;
    if (last === undefined) return undefined;
    if (position === undefined) return number > last ? undefined : `ORD: ${number} after ${last}`;
    if (previous === last || this.#mayBeMissing(number, previous, last)) return undefined;
    if (number < last) return `ORD: ${number} after ${last}`;
    return `GAP: ${number}, which follows ${previous}, after ${last}`;
  }

  /** After a resync with an end: publications may be missing up to it, but none after it. */
  #mayBeMissing(number: number, previous: number, last: number): boolean {
    if (this.#until === undefined) return false;
    const until = this.#ledger.at(this.#until) ?? 0;
    if (number < until) return number > last;
    if (number > until) this.#until = undefined;
    return number === until ? number > last : previous === until;
  }

  /** The outcome claims that nothing is missing before the next publication. */
  #goOn(number: number): string | undefined {
    const { last } = this;
    const isAsAsked = this.#isSetByOutcome && last !== undefined && number < last;
    if (last !== undefined && last !== number && !isAsAsked) {
      return `GAP: resumed after ${number}, but ${last} was seen`;
    }
    this.last = number;
    return undefined;
  }

  #startFrom(number: number, { epoch, offset }: Position): string | undefined {
    const { last } = this;
    this.last = number;
    if (!this.#flowed || last === undefined || number >= last) return undefined;
    return `ORD: resumed from ${epoch}.${offset}, which is ${number}, after ${last}`;
  }
}
