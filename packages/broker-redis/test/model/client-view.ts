import { type Cursor, type Position, parseCursor, toCursor } from '@leque/protocol';
import type { Ledger } from './ledger.ts';
import type { ChannelOutcome, Message } from './wire-format.ts';

export type Publication = Extract<Message, { kind: 'publication' }>;
export type Resync = Extract<Message, { kind: 'resync' }>;

/** What a client knows of one channel, over all its connections, and whether that may be so. */
export class ClientView {
  /** What it presents when it comes back: that of the last thing it read. */
  cursor: Cursor | undefined;
  subscribed = false;
  /** The number of the last event that it has seen or been told to go on from. */
  last: number | undefined;
  /** Something is missing, and an outcome that says so may still come. */
  unexplained: string | undefined;
  readonly #ledger: Ledger;
  /** Since it has subscribed. */
  readonly #seen = new Set<number>();
  /** Before that, and it goes on from there. */
  readonly #seenBefore = new Set<number>();
  /** Up to there some may be missing. */
  #until: Position | undefined;
  #flowed = false;
  #isGiven = false;
  /** Where it is was told by an outcome, and nothing has come since. */
  #isTold = false;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Publications have come on this connection. */
  get flowed(): boolean {
    return this.#flowed;
  }

  /**
   * On a new connection.
   * @param isGiven whether it is subscribed without asking
   * @param awaitsOutcome whether it hears where it goes on
   */
  connect(isGiven: boolean, awaitsOutcome: boolean): void {
    for (const number of this.#seen) this.#seenBefore.add(number);
    this.#seen.clear();
    this.#isGiven = isGiven;
    this.subscribed = !awaitsOutcome;
    this.#flowed = false;
    this.#until = undefined;
    if (!awaitsOutcome) this.forget();
  }

  /** It has left it, or may not have it any more; without a cursor it would begin anew. */
  leave(): void {
    for (const number of this.#seen) this.#seenBefore.add(number);
    this.#seen.clear();
    this.#flowed = false;
    this.subscribed = false;
    this.#isGiven = false;
  }

  /** It fetches anew and goes on from whatever comes. */
  forget(): void {
    this.cursor = undefined;
    this.last = undefined;
    this.unexplained = undefined;
    this.#seen.clear();
    this.#seenBefore.clear();
  }

  /** @returns what is wrong with it */
  read({ number, position }: Publication): string | undefined {
    const stored = this.#ledger.stored(number);
    if (stored === undefined) return 'GAP: what nobody has published';
    if (this.#seen.has(number)) return `DUP: ${number} again`;
    this.#seen.add(number);
    if (stored.previous === undefined) return undefined; // live only
    const problem = this.#seenBefore.has(number)
      ? this.#repeated(`DUP: ${number}, as on an earlier connection`)
      : this.#judge(number, stored.previous, position);
    this.last = number;
    this.#isTold = false;
    this.#flowed = true;
    if (position !== undefined) this.cursor = toCursor(position);
    return problem;
  }

  resync({ position, until }: Resync): void {
    this.last = position && this.#ledger.at(position);
    this.#until = until;
    this.#isTold = false;
    this.unexplained = undefined;
    this.cursor = position && toCursor(position);
  }

  /** @returns what is wrong with it */
  outcome({ cursor, recovered, code }: ChannelOutcome, asked: boolean): string | undefined {
    if (code !== undefined) {
      this.unexplained = undefined;
      if (!this.#flowed) this.last = undefined;
      this.#seenBefore.clear();
      this.subscribed ||= this.#isGiven;
      return undefined;
    }
    const goesOn = recovered === true || (this.subscribed && recovered === undefined && !asked);
    this.subscribed = true;
    if (cursor === undefined) {
      if (recovered === false) this.last = undefined; // it goes on from whatever comes
      return undefined;
    }
    if (!goesOn) this.#seenBefore.clear();
    const position = parseCursor(cursor);
    const number = this.#ledger.at(position);
    if (number === undefined) return `GAP: a cursor of nowhere, ${cursor}`;
    const problem = goesOn ? this.#goOn(number) : this.#startFrom(number, position);
    this.cursor = cursor;
    this.#isTold = true;
    return problem;
  }

  #judge(number: number, previous: number, position: Position | undefined): string | undefined {
    const { last } = this;
    if (last === undefined || this.unexplained !== undefined) return undefined;
    if (position === undefined) return number > last ? undefined : `ORD: ${number} after ${last}`;
    if (previous === last || this.#mayBeMissing(number, previous, last)) return undefined;
    if (number < last) return this.#repeated(`ORD: ${number} after ${last}`);
    return this.#doubt(`GAP: ${number}, which follows ${previous}, after ${last}`);
  }

  /** Where it flows before the cursor has come, the node may be behind what the client has. */
  #repeated(problem: string): string | undefined {
    return this.subscribed ? problem : undefined;
  }

  /** It is right if the outcome of what it has asked for, which comes next, says so. */
  #doubt(problem: string): string | undefined {
    if (this.subscribed) return problem;
    this.unexplained ??= problem;
    return undefined;
  }

  /** After a resync with an end: in order, but not all, and without a hole from there on. */
  #mayBeMissing(number: number, previous: number, last: number): boolean {
    if (this.#until === undefined) return false;
    const until = this.#ledger.at(this.#until) ?? 0;
    if (number < until) return number > last;
    if (number > until) this.#until = undefined;
    return number === until ? number > last : previous === until;
  }

  /** Nothing is missing before what comes now. */
  #goOn(number: number): string | undefined {
    const { last, unexplained } = this;
    if (unexplained !== undefined) return `${unexplained}, recovered they said`;
    const isAsAsked = this.#isTold && last !== undefined && number < last;
    if (last !== undefined && last !== number && !isAsAsked) {
      return `GAP: told to go on after ${number}, has seen ${last}`;
    }
    this.last = number;
    return undefined;
  }

  #startFrom(number: number, { epoch, offset }: Position): string | undefined {
    const { last } = this;
    this.unexplained = undefined;
    this.last = number;
    if (!this.#flowed || last === undefined || number >= last) return undefined;
    return `ORD: told to go on from ${epoch}.${offset}, which is ${number}, after ${last}`;
  }
}
