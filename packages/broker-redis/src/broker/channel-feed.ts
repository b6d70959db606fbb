import type {
  BrokerSink,
  Clock,
  ConcurrencyLimit,
  HistoryPage,
  Publication,
  Telemetry,
} from '@leque/core';
import type { Position } from '@leque/protocol';
import { isReply } from '../connection/redis-errors.ts';
import { Pause } from '../lib/deadline.ts';
import type { ChannelHandler } from '../link/redis-subscriber.ts';
import type { ChannelLog } from './channel-log.ts';
import { decodeMessage } from './decode-message.ts';
import { Sequencer, type Verdict } from './sequencer.ts';

export interface ChannelFeedDeps {
  readonly log: Pick<ChannelLog, 'position' | 'page'>;
  readonly sink: BrokerSink;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** How many channels may ask for their first position at once: somebody waits for each. */
  readonly joins: ConcurrencyLimit;
  /** How many may fill a gap at once, as all of them do after a reconnect. */
  readonly fills: ConcurrencyLimit;
}

/** More than this is left in Redis and read from there. */
const MAX_HELD = 1000;
/** Shared by those that hold nothing; never added to. */
const NONE_HELD: Publication[] = [];
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 2000;

/**
 * One subscribed channel: puts what Redis sends in order, and fetches what did not come (GAP, DUP).
 * While it waits for Redis it holds back what arrives, so that nothing overtakes.
 */
export class ChannelFeed implements ChannelHandler {
  readonly #channel: string;
  readonly #keepsHistory: boolean;
  readonly #deps: ChannelFeedDeps;
  #state: 'subscribing' | 'joining' | 'live' | 'filling' | 'closed' = 'subscribing';
  #sequencer: Sequencer | undefined;
  // A node has as many of these as users, so what is not needed always is made when it is.
  /** Until it is known where delivery starts. */
  #joining: PromiseWithResolvers<Position | undefined> | undefined = Promise.withResolvers();
  #pause: Pause | undefined;
  #held: Publication[] = NONE_HELD;
  /** How many of the held came before the last question to Redis was asked. */
  #heldBefore = 0;
  #fillAgain = false;

  constructor(channel: string, keepsHistory: boolean, deps: ChannelFeedDeps) {
    this.#channel = channel;
    this.#keepsHistory = keepsHistory;
    this.#deps = deps;
    this.joined.catch(() => {}); // whoever subscribed hears of it, if still there
  }

  /** The position after which delivery starts; rejects when Redis does not say it. */
  get joined(): Promise<Position | undefined> {
    return this.#joining?.promise ?? Promise.resolve(this.position);
  }

  /** Where delivery is now. */
  get position(): Position | undefined {
    return this.#sequencer?.position;
  }

  subscribed(): void {
    if (this.#state === 'subscribing') this.#join();
    else if (this.#state === 'joining') this.#fillAgain = true;
    else if (this.#keepsHistory) this.#fill();
    // Nobody knows what a channel without history would have brought: say so.
    else if (this.#state === 'live') this.#deps.sink.resync(this.#channel, undefined);
  }

  message(payload: Buffer): void {
    const decoded = decodeMessage(this.#channel, payload, this.position?.epoch);
    if ('problem' in decoded) this.#drop(decoded.problem);
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
    this.#readPosition().then(
      (position) => this.#start(position),
      (error: unknown) => this.#joining?.reject(error),
    );
  }

  #start(position: Position | undefined): void {
    if (this.#state !== 'joining') return;
    if (position !== undefined) this.#sequencer = new Sequencer(position);
    this.#settle(position);
    this.#state = 'live';
    this.#release();
    if (this.#fillAgain) this.#fill();
  }

  #settle(position: Position | undefined): void {
    this.#joining?.resolve(position);
    this.#joining = undefined;
  }

  #accept(publication: Publication): void {
    const verdict = this.#advance(publication);
    if (verdict === 'next' || verdict === 'old') return;
    this.#hold(publication);
    this.#fill();
  }

  /** Delivers what is next and drops what is old; otherwise something is missing before it. */
  #advance(publication: Publication): Verdict {
    const { position } = publication;
    const sequencer = this.#sequencer;
    const live = position === undefined || sequencer === undefined;
    const verdict = live ? 'next' : sequencer.judge(position);
    if (verdict !== 'next') return verdict;
    if (!live) sequencer.moveTo(position);
    this.#deps.sink.deliver(publication);
    return verdict;
  }

  #hold(publication: Publication): void {
    if (this.#held.length >= MAX_HELD) {
      for (const { position } of this.#held) if (position === undefined) this.#drop('overload');
      this.#held = NONE_HELD;
      this.#heldBefore = 0;
      this.#fillAgain = true;
    }
    if (this.#held === NONE_HELD) this.#held = [];
    this.#held.push(publication);
  }

  /** Reads what is missing, delivers it, then what was held; as often as it takes. */
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
    if (this.#state === 'filling') this.#state = 'live';
  }

  /**
   * Redis was asked after these came, and knows nothing of them: they are of a lost epoch, or were
   * never stored. Waiting for what is before them would never end (LIVE).
   */
  #forgetUnknown(top: Position | undefined): void {
    if (top === undefined) return;
    this.#held = this.#held.filter(({ position }, index) => {
      if (position === undefined || index >= this.#heldBefore) return true;
      if (position.epoch !== top.epoch) return false;
      if (position.offset <= top.offset) return true;
      this.#drop('beyond what Redis has stored');
      return false;
    });
    this.#heldBefore = 0;
  }

  /** False when there is more to read before anything that is held. */
  #catchUp({ complete, position: top, publications }: HistoryPage): boolean {
    const { sink, telemetry } = this.#deps;
    if (top === undefined) return true;
    if (!complete) {
      this.#resync(top);
      return true;
    }
    const position = publications.at(-1)?.position ?? top;
    const isRenamed = position.epoch !== this.position?.epoch;
    this.#sequencer?.moveTo(position);
    for (const publication of publications) sink.deliver(publication);
    const count = publications.length;
    if (count > 0) {
      telemetry.report({ type: 'gap_filled', channel: this.#channel, publications: count });
    } else if (isRenamed) {
      sink.epochChanged(this.#channel, position);
    }
    return position.offset >= top.offset;
  }

  /** Some are gone for good; those that are held are not. */
  #resync(top: Position): void {
    const first = this.#held.find(({ position: held }) => {
      return held?.epoch === top.epoch && this.#sequencer?.judge(held) !== 'old';
    })?.position;
    const offset = first === undefined ? top.offset : Math.min(top.offset, first.offset - 1);
    const position = { ...top, offset };
    this.#sequencer?.moveTo(position);
    // What is held may end before the top.
    if (first !== undefined) this.#fillAgain = true;
    this.#deps.sink.resync(this.#channel, position);
  }

  /** Lets go of what is held, up to where something is missing again. */
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

  /** What follows the position here; asks until Redis answers. Undefined when closed meanwhile. */
  async #readMissing(): Promise<HistoryPage | undefined> {
    const { fills, telemetry } = this.#deps;
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(MAX_RETRY_MS, retryMs * 2)) {
      try {
        const page = await fills.run(
          () => this.#readOnce(),
          () => this.#isOpen,
        );
        return this.#state === 'closed' ? undefined : page;
      } catch (error) {
        // That Redis is away is reported once, by its connection, and not by each channel.
        if (isReply(error)) telemetry.report({ type: 'failure', where: 'read history', error });
      }
      if (this.#isOpen) await this.#wait(retryMs);
      if (this.#state === 'closed') return undefined;
    }
  }

  async #wait(ms: number): Promise<void> {
    this.#pause = new Pause(this.#deps.clock);
    await this.#pause.wait(ms);
    this.#pause = undefined;
  }

  async #readOnce(): Promise<HistoryPage> {
    const { log } = this.#deps;
    this.#heldBefore = this.#held.length;
    const page = this.position && (await log.page(this.#channel, this.position));
    if (page?.position !== undefined) return page;
    // All is lost, the epoch too: begin another, so that clients get a cursor that works.
    const position = await log.position(this.#channel);
    return { position, publications: [], complete: false };
  }

  #readPosition(): Promise<Position | undefined> {
    const { joins, log } = this.#deps;
    return joins.run(
      () => log.position(this.#channel),
      () => this.#isOpen,
    );
  }

  #drop(detail: string): void {
    this.#deps.telemetry.report({ type: 'event_dropped', channel: this.#channel, detail });
  }
}
