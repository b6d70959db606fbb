import {
  type BrokerSink,
  type Clock,
  type ConcurrencyLimit,
  type HistoryPage,
  isOvertaken,
  mergeHistory,
  Pause,
  type Publication,
  type Telemetry,
} from '@leque/core';
import type { Position } from '@leque/protocol';
import { isReply } from '../connection/redis-errors.ts';
import type { ChannelHandler } from '../link/redis-subscriber.ts';
import type { ChannelLog } from './channel-log.ts';
import type { MessageDecoder } from './decode-message.ts';
import { isBehind, Sequencer, type Verdict } from './sequencer.ts';

export interface ChannelFeedDeps {
  readonly log: Pick<ChannelLog, 'position' | 'rest'>;
  readonly decoder: MessageDecoder;
  readonly sink: BrokerSink;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** Limits the channels that ask for their first position at once; a subscriber waits for each. */
  readonly joins: ConcurrencyLimit;
  /** Limits the channels that fill a gap at once, because all of them do so after a reconnect. */
  readonly fills: ConcurrencyLimit;
  /** Publications that a feed holds back at most; the rest is read from Redis later. */
  readonly maxHeld: number;
}

/** Shared by all feeds that hold nothing; never added to. */
const NONE_HELD: Publication[] = [];
const RETRY_MS = { first: 100, longest: 2000 };

/**
 * One subscribed channel: puts what Redis sends in order, and reads what did not arrive (GAP, DUP).
 * While the feed waits for Redis it holds back what arrives, so that nothing overtakes.
 */
export class ChannelFeed implements ChannelHandler {
  readonly #channel: string;
  readonly #keepsHistory: boolean;
  readonly #deps: ChannelFeedDeps;
  #state: 'subscribing' | 'joining' | 'live' | 'filling' | 'closed' = 'subscribing';
  #sequencer: Sequencer | undefined;
  // A node has as many feeds as users: the fields that are rarely needed are made when they are.
  /** Settles when it is known where delivery starts; undefined afterwards. */
  #joining: PromiseWithResolvers<Position | undefined> | undefined = Promise.withResolvers();
  #pause: Pause | undefined;
  #held: Publication[] = NONE_HELD;
  /** How many of the held publications arrived before Redis was last asked. */
  #heldBefore = 0;
  #fillAgain = false;
  /** Up to here publications may come again on the subscription, after they were read. */
  #readTo = 0;

  constructor(channel: string, keepsHistory: boolean, deps: ChannelFeedDeps) {
    this.#channel = channel;
    this.#keepsHistory = keepsHistory;
    this.#deps = deps;
    this.joined.catch(() => {}); // the subscriber handles the failure, unless it has left
  }

  /** The position after which delivery starts; rejects when Redis does not answer. */
  get joined(): Promise<Position | undefined> {
    return this.#joining?.promise ?? Promise.resolve(this.position);
  }

  /** The position of the last delivery; undefined for a channel without history. */
  get position(): Position | undefined {
    return this.#sequencer?.position;
  }

  subscribed(): void {
    if (this.#state === 'subscribing') this.#join();
    else if (this.#state === 'joining') this.#fillAgain = true;
    else if (this.#keepsHistory) this.#fill();
    // What a channel without history missed is unknown, so subscribers have to be informed.
    else if (this.#state === 'live') this.#deps.sink.resync(this.#channel, undefined);
  }

  message(payload: Buffer): void {
    const decoded = this.#deps.decoder.decode(this.#channel, payload, this.position?.epoch);
    if ('problem' in decoded) this.#leaveOut(decoded.problem, decoded.position);
    else if (this.#state === 'live') this.#accept(decoded.publication);
    else if (this.#state !== 'closed') this.#hold(decoded.publication);
  }

  close(): void {
    this.#state = 'closed';
    this.#held = NONE_HELD;
    this.#pause?.end();
  }

  get #isOpen(): boolean {
    return this.#state !== 'closed';
  }

  #join(): void {
    if (!this.#keepsHistory) {
      this.#state = 'live';
      this.#settle(undefined);
      this.#release();
      return;
    }
    this.#state = 'joining';
    const { joins, log } = this.#deps;
    const isOpen = () => this.#isOpen;
    const reading = joins.run(() => log.position(this.#channel), isOpen);
    reading.then(
      (position) => this.#start(position),
      (error: unknown) => this.#joining?.reject(error),
    );
  }

  #start(position: Position | undefined): void {
    if (this.#state !== 'joining') return;
    if (position !== undefined) this.#sequencer = new Sequencer(position);
    this.#settle(position);
    this.#state = 'live';
    this.#readTo = position?.offset ?? 0;
    this.#release();
    if (this.#fillAgain) this.#fill();
  }

  #settle(position: Position | undefined): void {
    this.#joining?.resolve(position);
    this.#joining = undefined;
  }

  #accept(publication: Publication): void {
    const verdict = this.#advance(publication);
    if (verdict === 'next') return;
    if (verdict !== 'old') this.#hold(publication);
    // An old one after a new one came late, or the data of Redis has gone back.
    else if ((this.position?.offset ?? 0) <= this.#readTo) return;
    this.#fill();
  }

  /** Delivers the next publication and drops an old one; with other verdicts it does neither. */
  #advance(publication: Publication): Verdict {
    const { position, after } = publication;
    if (isOvertaken(after, this.position)) return 'next'; // live only: nobody gets it
    if (isOvertaken(this.position, after)) return 'gap';
    const sequencer = this.#sequencer;
    const live = position === undefined || sequencer === undefined;
    const verdict = live ? 'next' : sequencer.judge(position);
    if (verdict !== 'next') return verdict;
    if (!live) sequencer.moveTo(position);
    this.#deps.sink.deliver(publication);
    return verdict;
  }

  #hold(publication: Publication): void {
    if (this.#held.length >= this.#deps.maxHeld) {
      for (const { position } of this.#held)
        if (position === undefined) this.#drop('too many publications were held back');
      this.#held = NONE_HELD;
      this.#heldBefore = 0;
      this.#fillAgain = true;
    }
    if (this.#held === NONE_HELD) this.#held = [];
    const last = this.#held.at(-1);
    if (publication.isLive) publication.after ??= last?.position ?? last?.after ?? this.position;
    this.#held.push(publication);
  }

  /** Delivers what is missing, then what was held; repeats that until nothing is missing. */
  #fill(): void {
    if (this.#state === 'filling') this.#fillAgain = true;
    if (this.#state !== 'live') return;
    this.#state = 'filling';
    this.#fillUp().catch((error: unknown) => {
      this.#deps.telemetry.report({ type: 'failure', where: 'channel feed', error });
    });
  }

  async #fillUp(): Promise<void> {
    do {
      this.#fillAgain = false;
      const page = await this.#readMissing();
      if (page === undefined) return; // closed
      this.#forgetUnknown(page.position);
      if (this.#catchUp(page)) this.#release();
      else this.#fillAgain = true;
    } while (this.#fillAgain);
    this.#readTo = this.position?.offset ?? 0;
    if (this.#state === 'filling') this.#state = 'live';
  }

  /**
   * Drops held publications that Redis does not know although it was asked after they arrived. They
   * belong to a lost epoch or were never stored: waiting for what precedes them would never end (LIVE).
   */
  #forgetUnknown(top: Position | undefined): void {
    if (top === undefined) return;
    this.#held = this.#held.filter(({ position, after }, index) => {
      const at = position ?? after;
      if (at === undefined || index >= this.#heldBefore) return true;
      if (at.epoch !== top.epoch) return false;
      if (at.offset <= top.offset) return true;
      this.#drop('beyond what Redis has stored');
      return false;
    });
    this.#heldBefore = 0;
  }

  /** Returns false when there is more to read before the held publications. */
  #catchUp({ complete, position: top, publications }: HistoryPage): boolean {
    const { sink, telemetry } = this.#deps;
    if (top === undefined) return true;
    if (!complete) {
      this.#resync(top);
      return true;
    }
    const position = publications.at(-1)?.position ?? top;
    const hasNewEpoch = position.epoch !== this.position?.epoch;
    const { merged, rest } = mergeHistory(publications, this.#held);
    this.#held = [...rest];
    this.#sequencer?.moveTo(position);
    for (const publication of merged) sink.deliver(publication);
    const count = publications.length;
    if (count > 0) {
      telemetry.report({ type: 'gap_filled', channel: this.#channel, publications: count });
    } else if (hasNewEpoch) {
      sink.epochChanged(this.#channel, position);
    }
    return position.offset >= top.offset;
  }

  /** Some publications are gone for good; delivery goes on before the first one that is held. */
  #resync(top: Position): void {
    const first = this.#held.find(({ position: held }) => {
      return held?.epoch === top.epoch && this.#sequencer?.judge(held) !== 'old';
    })?.position;
    const offset = first === undefined ? top.offset : Math.min(top.offset, first.offset - 1);
    const position = { ...top, offset };
    this.#sequencer?.moveTo(position);
    // The held publications may end before the top.
    if (first !== undefined) this.#fillAgain = true;
    this.#deps.sink.resync(this.#channel, position);
  }

  /** Delivers the held publications up to the next gap. */
  #release(): void {
    const held = this.#held;
    this.#held = NONE_HELD;
    for (const [index, publication] of held.entries()) {
      const verdict = this.#advance(publication);
      if (verdict === 'next' || verdict === 'old') continue;
      this.#held = held.slice(index);
      this.#fillAgain = true;
      return;
    }
  }

  /** Asks until Redis answers; resolves to undefined when the feed is closed meanwhile. */
  async #readMissing(): Promise<HistoryPage | undefined> {
    const { fills, telemetry } = this.#deps;
    for (let retryMs = RETRY_MS.first; ; retryMs = Math.min(RETRY_MS.longest, 2 * retryMs)) {
      try {
        const page = await fills.run(
          () => this.#readOnce(),
          () => this.#isOpen,
        );
        return this.#state === 'closed' ? undefined : page;
      } catch (error) {
        // The connection reports an outage once; each channel would repeat it.
        if (isReply(error)) telemetry.report({ type: 'failure', where: 'read history', error });
      }
      if (!this.#isOpen) return undefined;
      this.#pause = new Pause(this.#deps.clock);
      await this.#pause.wait(retryMs);
      this.#pause = undefined;
      if (!this.#isOpen) return undefined;
    }
  }

  async #readOnce(): Promise<HistoryPage> {
    const { log } = this.#deps;
    this.#heldBefore = this.#held.length;
    const page = this.position && (await log.rest(this.#channel, this.position));
    if (page?.position !== undefined && !isBehind(page.position, this.position)) return page;
    // The end of the history is lost: begin a new epoch, so that clients get a cursor that works.
    const position = await log.position(this.#channel, this.position);
    return { position, publications: [], complete: false };
  }

  /** Goes past a publication that no client could read; the history leaves it out as well. */
  #leaveOut(problem: string, position: Position | undefined): void {
    this.#drop(problem);
    const isNext = position !== undefined && this.#sequencer?.judge(position) === 'next';
    if (this.#state === 'live' && isNext) this.#sequencer?.moveTo(position);
  }

  #drop(detail: string): void {
    this.#deps.telemetry.report({ type: 'event_dropped', channel: this.#channel, detail });
  }
}
