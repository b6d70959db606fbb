import { CLOSE, ProtocolError } from '@leque/protocol';
import type { Clock } from '../lib/clock.ts';
import type { ConcurrencyLimit } from '../lib/concurrency-limit.ts';
import type { HistoryExtent, HistoryPage } from '../ports/broker.ts';
import type { Publication } from '../publication/publication.ts';
import type { Drains } from './drains.ts';
import type { HeldPublications } from './held-publications.ts';
import type { HistoryReader } from './history-reader.ts';
import type { RecoveringSession, RecoveringSubscription } from './recovering-session.ts';

export interface ReplayDeps {
  readonly reader: HistoryReader;
  readonly clock: Clock;
  readonly drains: Drains;
  /** Pages that are read at once for all sessions of the node: many may come back together. */
  readonly turns: ConcurrencyLimit;
  /** The most that is read at once. */
  readonly page: HistoryExtent;
}

/** How long a page may wait for its turn. */
const TURN_MS = 60_000;
/** A page waits until this share of it fits into the outbox: clients read, or other channels make room. */
const ROOM_SHARE = 1 / 2;
/** A history that no read can succeed on. */
const LOST: HistoryPage = { position: undefined, publications: [], complete: false };

interface Announcement {
  readonly channels: readonly string[];
  readonly tell: () => void;
}

/**
 * Sends one session what it has missed: all channels together in the order in which their publications
 * were stored, in pages, at the pace of its socket. A channel flows once a page has reached what the node
 * delivers; until then the history is its buffer, and what arrives is read again (MEM, GAP).
 */
export class Replay {
  readonly #session: RecoveringSession;
  readonly #deps: ReplayDeps;
  readonly #subscriptions = new Set<RecoveringSubscription>();
  #announcements: Announcement[] = [];
  #isReading = false;

  constructor(session: RecoveringSession, deps: ReplayDeps) {
    this.#session = session;
    this.#deps = deps;
  }

  /** Whether nothing is to be sent or announced. */
  get done(): boolean {
    return this.#subscriptions.size === 0 && this.#announcements.length === 0 && !this.#isReading;
  }

  /** `tell` is called once all these channels flow. */
  announce(announcement: Announcement): void {
    this.#announcements.push(announcement);
  }

  /**
   * Sends what is held of released subscriptions, and goes on with what is to be read.
   * @param whenDone called after the last page, if pages are read
   */
  run(released: Iterable<RecoveringSubscription>, whenDone: () => void): void {
    for (const subscription of released) this.#subscriptions.add(subscription);
    if (this.#isReading) this.#flow();
    const next = this.#isReading ? undefined : this.#sendHeld();
    if (next !== undefined) void this.#readOn(next).then(whenDone);
  }

  async #readOn(first: RecoveringSubscription): Promise<void> {
    this.#isReading = true;
    let next: RecoveringSubscription | undefined = first;
    while (next !== undefined && this.#session.open) {
      try {
        await this.#readPage(next);
      } catch (error) {
        if (next.held?.released) this.#fail(next, error);
      }
      next = this.#sendHeld();
    }
    this.#isReading = false;
  }

  /** The client has been sent everything up to the page, and comes back for the rest. */
  #fail({ channel }: RecoveringSubscription, error: unknown): void {
    const reason = error instanceof ProtocolError ? 'cannot be read now' : 'cannot be read';
    const what = `what was missed in ${channel.slice(0, 64)}`;
    this.#session.close(CLOSE.tryAgainLater, `${what} ${reason}`);
  }

  /** @returns the subscription whose history has to be read before anything else may be sent */
  #sendHeld(): RecoveringSubscription | undefined {
    let next = this.#next();
    while (next !== undefined && this.#session.open) {
      const { subscription, held, until } = next;
      if (!held.hasMissed) break;
      while (held.hasMissed && held.nextStoredAt <= until) {
        const missed = held.takeMissed();
        if (missed !== undefined) subscription.bring(missed);
      }
      next = this.#next();
    }
    this.#flow();
    return next?.subscription;
  }

  /** Finds the missed publication that was stored first, and when the next channel has its turn. */
  #next() {
    let first: { subscription: RecoveringSubscription; held: HeldPublications } | undefined;
    let [storedAt, until] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (const subscription of this.#subscriptions) {
      const { held } = subscription;
      if (held === undefined || !held.released) this.#subscriptions.delete(subscription);
      else if (held.isBehind && held.nextStoredAt < storedAt) {
        until = storedAt;
        storedAt = held.nextStoredAt;
        first = { subscription, held };
      } else if (held.isBehind) until = Math.min(until, held.nextStoredAt);
    }
    return first && { ...first, until };
  }

  /** Lets the channels flow that have caught up. */
  #flow(): void {
    for (const subscription of this.#subscriptions) {
      if (subscription.held?.isBehind) continue;
      this.#subscriptions.delete(subscription);
      subscription.flow();
    }
    const told = this.#announcements.filter(({ channels }) => this.#isFlowing(channels));
    this.#announcements = this.#announcements.filter((each) => !told.includes(each));
    for (const { tell } of told) tell();
  }

  #isFlowing(channels: readonly string[]): boolean {
    return channels.every(
      (channel) => this.#session.subscriptions.get(channel)?.held === undefined,
    );
  }

  async #readPage(subscription: RecoveringSubscription): Promise<void> {
    const { clock, turns } = this.#deps;
    const beganAt = clock.monotonic();
    await new Promise<void>((resolve) => clock.defer(resolve)); // lets others work between pages
    await this.#makeRoom(subscription);
    const isWanted = () => this.#session.open && clock.monotonic() < beganAt + TURN_MS;
    if (!this.#session.open || !subscription.held?.released) return;
    await turns.run(() => this.#read(subscription), isWanted);
  }

  async #makeRoom(next: RecoveringSubscription): Promise<void> {
    const session = this.#session;
    const wanted = this.#deps.page.bytes * ROOM_SHARE;
    const isDrained = () => session.roomBytes >= wanted || session.unsentBytes === 0;
    await this.#deps.drains.wait(session, isDrained);
    if (session.roomBytes >= wanted) return;
    for (const subscription of this.#subscriptions) {
      if (subscription !== next) subscription.held?.evict();
    }
  }

  async #read(subscription: RecoveringSubscription): Promise<void> {
    const { reader, clock } = this.#deps;
    const { held, channel } = subscription;
    const after = held?.lastMissed?.position ?? subscription.newest;
    if (held === undefined || !held.released || !held.hasGap) return;
    const isWanted = () => this.#session.open && subscription.held === held && held.released;
    held.beginReading();
    const page =
      after &&
      (await reader.read(
        () => reader.broker.pageAfter(channel, after, this.#extent),
        clock.monotonic(),
        isWanted,
      ));
    if (isWanted()) this.#add(subscription, held, page ?? LOST);
  }

  /** Others with a gap need room as well. */
  get #extent(): HistoryExtent {
    const { page } = this.#deps;
    const share = this.#session.roomBytes / this.#subscriptions.size;
    return { ...page, bytes: Math.min(page.bytes, Math.floor(share)) };
  }

  #add(subscription: RecoveringSubscription, held: HeldPublications, page: HistoryPage): void {
    const fitting = this.#fitting(page.publications);
    const end = fitting.at(-1)?.position;
    const isLast = !page.complete || end === undefined || end.offset === page.position?.offset;
    held.endReading(fitting, isLast);
    if (!page.complete) subscription.miss(page.position);
  }

  /** The first ones that fit as frames, at least one. */
  #fitting(publications: readonly Publication[]): readonly Publication[] {
    let bytes = 0;
    const end = publications.findIndex((publication, index) => {
      bytes += this.#session.bytesOf([publication]);
      return index > 0 && !this.#session.canHold(bytes);
    });
    return end < 0 ? publications : publications.slice(0, end);
  }
}
