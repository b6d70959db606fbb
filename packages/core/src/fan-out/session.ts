import { randomUUID } from 'node:crypto';
import { CLOSE, type CloseCode, type Cursor, ProtocolError } from '@leque/protocol';
import { type Identity, mayHear, type RoomRights } from '../access/grants.ts';
import { SmallMap } from '../lib/small-map.ts';
import type { Connection } from '../ports/connection.ts';
import type { Frame, FrameFormat, Publication } from '../publication/publication.ts';
import type { FanOutCounters } from '../writing/fan-out-counters.ts';
import type { Flusher } from '../writing/flusher.ts';
import { Outbox } from '../writing/outbox.ts';
import { type LeftOut, NOTHING_LEFT_OUT } from './backlog.ts';
import type { Backlogged } from './backlog-rounds.ts';
import type { Subscriber } from './subscriber.ts';
import type { Subscription } from './subscription.ts';

/**
 * Share of the outbox limit that held and queued bytes together may take while publications are
 * held.
 */
const HELD_SHARE = 2 / 3;
/** Share of it that live-only publications may take of that: the rest is for those that count. */
const HELD_LIVE_SHARE = 1 / 4;
/** Share of the outbox limit from which on publications are left out where a rule allows it. */
const CONGESTED_SHARE = 1 / 2;

export interface SessionDeps {
  readonly flusher: Flusher;
  /** Called before a slow consumer is closed, with the number of bytes that it has not read. */
  readonly onSlow: (session: Session, queuedBytes: number) => void;
  readonly outboxMaxBytes: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Called when a session begins to drop live-only publications; `flushBacklog` is to be called. */
  readonly onDropping: (session: Session) => void;
  /** Shared by all sessions of the node. */
  readonly counters: FanOutCounters;
}

export type ChannelFilter = (channel: string) => boolean;

/** A channel that a session's rights do not cover any more. */
export interface EndedChannel {
  readonly channel: string;
  /** What the client has seen of it; undefined when that is not known, and in a live-only channel. */
  readonly cursor: Cursor | undefined;
}

/** One authenticated connection: identity, subscriptions, outbox. Opened and closed by the hub. */
export class Session implements Subscriber, Backlogged {
  readonly id = flat(randomUUID());
  readonly connection: Connection;
  /** Milliseconds since the Unix epoch. */
  readonly openedAt: number;
  readonly format: FrameFormat;
  /** Replaced when a fresh token arrives; by the hub only. */
  identity: Identity;
  /** The rooms of the grants that it holds; undefined before the first grant. */
  rooms: RoomRights | undefined = undefined;
  /** Keyed by channel; changed by the hub only. */
  readonly subscriptions = new SmallMap<string, Subscription>();
  readonly #context: SessionDeps;
  readonly #outbox: Outbox;
  /** Live-only publications that were dropped, by channel, until the client is told. */
  #dropped: Map<string, number> | undefined;
  /** Why the session ends: this node's code, or `left` when the client left; undefined while open. */
  #end: CloseCode | 'left' | undefined;

  constructor(connection: Connection, identity: Identity, context: SessionDeps) {
    this.openedAt = context.now();
    this.connection = connection;
    this.format = connection.format;
    this.identity = identity;
    this.#context = context;
    this.#outbox = new Outbox(connection, context.outboxMaxBytes, context.counters);
  }

  get heldBytes(): number {
    return this.#outbox.heldBytes;
  }

  set heldBytes(bytes: number) {
    this.#outbox.heldBytes = bytes;
  }

  get congested(): boolean {
    return this.#outbox.unsentBytes > CONGESTED_SHARE * this.#context.outboxMaxBytes;
  }

  canHold(bytes: number): boolean {
    return bytes <= this.#room;
  }

  canHoldLive(bytes: number): boolean {
    return bytes <= this.#room - (1 - HELD_LIVE_SHARE) * HELD_SHARE * this.#context.outboxMaxBytes;
  }

  /** A burst within one turn does not make a slow client, as in `#queue`. */
  sheds(): boolean {
    if (!this.congested) return false;
    this.flush();
    return this.congested;
  }

  drop({ channel, deliveries }: Publication): void {
    this.#context.counters.liveDropped += 1;
    if (deliveries !== undefined) deliveries.dropped += 1;
    if (this.#dropped === undefined) this.#context.onDropping(this);
    this.#dropped ??= new Map();
    this.#dropped.set(channel, (this.#dropped.get(channel) ?? 0) + 1);
  }

  /**
   * Tells the client how many live-only publications it did not get.
   * @returns undefined while it reads too slowly, or a channel waits for its start
   */
  flushBacklog(): LeftOut | undefined {
    if (this.#dropped === undefined || !this.open) return NOTHING_LEFT_OUT;
    if (this.congested) return undefined;
    for (const [channel, dropped] of this.#dropped) {
      const subscription = this.subscriptions.get(channel);
      if (subscription?.holding) continue;
      this.#dropped.delete(channel);
      if (subscription !== undefined) this.send(this.format.encodeDropped(channel, dropped), 1);
    }
    if (this.#dropped.size > 0) return undefined;
    this.#dropped = undefined;
    return NOTHING_LEFT_OUT;
  }

  bytesOf(publications: readonly Publication[]): number {
    let bytes = 0;
    for (const publication of publications) {
      const frame = publication.frameIn(this.format);
      bytes += frame.byteLength + (this.connection.stampBytesOf?.(frame) ?? 0);
    }
    return bytes;
  }

  /** Bytes that may still be held; never negative. */
  get roomBytes(): number {
    return Math.max(0, Math.floor(this.#room));
  }

  get unsentBytes(): number {
    return this.#outbox.unsentBytes;
  }

  /** Part of the outbox stays free for publications that arrive while the held ones are sent. */
  get #room(): number {
    return HELD_SHARE * this.#context.outboxMaxBytes - this.#outbox.queuedBytes;
  }

  /** Whether its rights cover the channel now. */
  mayHear(channel: string): boolean {
    return mayHear(this, channel);
  }

  /** @throws ProtocolError `forbidden` */
  assertMayHear(channel: string): void {
    if (this.mayHear(channel)) return;
    throw new ProtocolError('forbidden', `this token does not allow ${channel}, and no grant does`);
  }

  /** False once the session is closing; nothing is sent after that. */
  get open(): boolean {
    return this.#end === undefined;
  }

  get tooSlow(): boolean {
    return this.#end === CLOSE.slowConsumer;
  }

  /** Why this node closed it; undefined while it is open, and when the client left by itself. */
  get closeCode(): CloseCode | undefined {
    return this.#end === 'left' ? undefined : this.#end;
  }

  /**
   * Queues a frame of `messages` messages. A client that reads too slowly is closed, because its
   * queue would fill the node's memory (MEM).
   * @param publishedAtMs see `Outbox.push`
   * @returns false when the session is closing, perhaps because of this frame
   */
  send(frame: Frame, messages: number, publishedAtMs = 0): boolean {
    if (!this.open) return false;
    if (this.#queue(this.connection.stamp?.(frame) ?? frame, messages, publishedAtMs)) {
      this.#context.counters.messagesSent += messages;
      this.#context.flusher.touch(this.#outbox);
      return true;
    }
    this.#context.onSlow(this, this.#outbox.queuedBytes);
    this.#outbox.clear();
    this.close(CLOSE.slowConsumer, 'slow consumer');
    return false;
  }

  /** Writes the outbox now, before something that follows it is written to the socket directly. */
  flush(): void {
    if (this.open) this.#context.flusher.flushNow(this.#outbox);
  }

  /** A burst within one turn does not make a slow client: the kernel may take the queued bytes. */
  #queue(frame: Frame, messages: number, publishedAtMs: number): boolean {
    if (this.#outbox.push(frame, messages, publishedAtMs)) return true;
    this.#context.flusher.flushNow(this.#outbox);
    return this.#outbox.push(frame, messages, publishedAtMs);
  }

  /** Flushes the outbox, then starts closing. The transport reports the end to the hub. */
  close(code: CloseCode, reason: string): void {
    if (!this.open) return;
    this.#end = code;
    this.#context.flusher.flushNow(this.#outbox);
    this.connection.close(code, reason);
  }

  /** Drops the outbox of a connection that is gone. */
  discard(): void {
    this.#end ??= 'left';
    this.#dropped = undefined;
    this.#outbox.clear();
  }
}

/** A flat copy of a text; a concatenated string would keep its parts in memory, too. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
