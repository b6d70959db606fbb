import {
  type Broker,
  type BrokerSink,
  type Cancel,
  type Clock,
  ConcurrencyLimit,
  type Deadline,
  type EventOptions,
  every,
  type HistoryExtent,
  type HistoryPage,
  type Published,
  type Telemetry,
  withDeadline,
} from '@leque/core';
import {
  type Event,
  type EventForEach,
  FIREHOSE,
  keepsHistory,
  type Position,
  ProtocolError,
} from '@leque/protocol';
import { readFailure, unavailable } from '../connection/redis-errors.ts';
import type { RedisLink } from '../link/redis-link.ts';
import { AppendQueue } from './append-queue.ts';
import { AppendToEach } from './append-to-each.ts';
import { isAged } from './blank-positions.ts';
import { ChannelFeed, type ChannelFeedDeps } from './channel-feed.ts';
import type { ChannelLog } from './channel-log.ts';
import { MessageDecoder } from './decode-message.ts';
import { HistoryReads } from './history-reads.ts';

const SUBSCRIBE_TIMEOUT_MS = 1000;
const TOP_TIMEOUT_MS = 1000;
/**
 * Joins have a queue of their own: behind long reads they would come too late. As many may wait as
 * Redis can answer before their callers give up.
 */
const JOINS = { running: 64, waiting: 10_000 };
/** A feed that finds no place in the queue asks again. */
const FILLS = { running: 64, waiting: 10_000 };
/** A feed holds back at most this much while it waits for Redis. */
const HELD = { publications: 1000, bytes: 67_108_864 };
/** How often aged positions of channels without publications are renewed, and how many at once. */
const RENEWALS = { periodMs: 10 * 60_000, atOnce: 5000 };
/** Redis serves no other client while it reads a history. */
const MAX_PAGE = 10_000;

export interface RedisBrokerDeps {
  readonly link: RedisLink;
  readonly log: ChannelLog;
  readonly prefix: string;
  /** The limits and rules of events that other services PUBLISH. */
  readonly events: EventOptions;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

/** Carries publications through Redis: Pub/Sub is fast, and streams lose nothing. */
export class RedisBroker implements Broker {
  readonly #deps: RedisBrokerDeps;
  readonly #feeds = new Map<string, ChannelFeed>();
  readonly #joins = new ConcurrencyLimit(JOINS);
  readonly #fills = new ConcurrencyLimit(FILLS);
  readonly #appends: AppendQueue;
  readonly #spreads: AppendToEach;
  readonly #histories: HistoryReads;
  /** Shared by all feeds; undefined before `start`. */
  #feedDeps: ChannelFeedDeps | undefined;
  #stopRenewing: Cancel = () => {};

  constructor(deps: RedisBrokerDeps) {
    this.#deps = deps;
    this.#appends = new AppendQueue(deps.log);
    this.#spreads = new AppendToEach(deps);
    this.#histories = new HistoryReads(
      deps.log,
      deps.clock,
      (channel) => this.#feeds.get(channel)?.position,
    );
  }

  /** Does not fail when Redis is away: `health` reports that, now as later. */
  async start(sink: BrokerSink): Promise<void> {
    const { log, events, telemetry, clock } = this.#deps;
    const decoder = new MessageDecoder(events, telemetry);
    const maxHeld = Math.min(HELD.publications, Math.floor(HELD.bytes / events.maxBytes));
    const [joins, fills] = [this.#joins, this.#fills];
    this.#feedDeps = { log, decoder, sink, telemetry, clock, joins, fills, maxHeld };
    this.#stopRenewing();
    this.#stopRenewing = every(clock, RENEWALS.periodMs, () => this.#renew());
    await this.#deps.link.receive();
  }

  async subscribe(channel: string): Promise<Position | undefined> {
    const existing = this.#feeds.get(channel);
    const feed = existing ?? this.#enter(channel);
    try {
      const joined = await withDeadline(feed.joined, SUBSCRIBE_TIMEOUT_MS, 'subscribing');
      if (existing === undefined) return joined;
      const caughtUp = this.#deps.link.subscriptions.catchUp(this.#redisChannel(channel));
      await withDeadline(caughtUp, SUBSCRIBE_TIMEOUT_MS, 'catching up');
      return feed.position;
    } catch (error) {
      // A feed that was there before stays: another caller has subscribed it.
      if (existing === undefined && this.#feeds.get(channel) === feed) this.#leave(channel, feed);
      throw unavailable(error);
    }
  }

  async unsubscribe(channel: string): Promise<void> {
    const feed = this.#feeds.get(channel);
    if (feed !== undefined) this.#leave(channel, feed);
  }

  publish(event: Event): Promise<Published> {
    return this.#appends.append(event);
  }

  publishToEach(
    event: EventForEach,
    deadline: Pick<Deadline, 'expired'>,
  ): readonly Promise<Published>[] {
    return this.#spreads.publish(event, deadline);
  }

  async history(
    channel: string,
    after: Position | undefined,
    extent: HistoryExtent,
  ): Promise<HistoryPage> {
    const publications = Math.min(extent.publications, MAX_PAGE);
    try {
      return await this.#histories.read(channel, after, { ...extent, publications });
    } catch (error) {
      throw readFailure(error);
    }
  }

  async pageAfter(channel: string, after: Position, extent: HistoryExtent): Promise<HistoryPage> {
    const publications = Math.min(extent.publications, MAX_PAGE);
    try {
      return await this.#histories.page(channel, after, { ...extent, publications });
    } catch (error) {
      throw readFailure(error);
    }
  }

  async top(channel: string): Promise<Position | undefined> {
    let isWanted = true;
    const { log } = this.#deps;
    const asking = this.#joins.run(
      () => log.position(channel),
      () => isWanted,
    );
    try {
      return await withDeadline(asking, TOP_TIMEOUT_MS, 'asking for a position');
    } catch (error) {
      isWanted = false;
      throw unavailable(error);
    }
  }

  health(): { ok: true } | { ok: false; reason: string } {
    const problems = this.#deps.link.problems();
    return problems.length === 0 ? { ok: true } : { ok: false, reason: problems.join('; ') };
  }

  async close(): Promise<void> {
    this.#stopRenewing();
    this.#histories.close();
    for (const [channel, feed] of this.#feeds) this.#leave(channel, feed);
  }

  /** Asks Redis again for aged positions, so that new subscribers get cursors that last. */
  #renew(): void {
    const now = this.#deps.clock.now();
    let left = RENEWALS.atOnce;
    for (const feed of this.#feeds.values()) {
      if (left === 0) return;
      if (!isAged(feed.position, now)) continue;
      feed.subscribed();
      left -= 1;
    }
  }

  #enter(channel: string): ChannelFeed {
    const deps = this.#feedDeps;
    if (deps === undefined) throw new ProtocolError('internal', 'subscribed before start');
    const feed = new ChannelFeed(channel, keepsHistory(channel), deps);
    this.#feeds.set(channel, feed);
    this.#deps.link.subscriptions.add(this.#redisChannel(channel), feed);
    return feed;
  }

  #leave(channel: string, feed: ChannelFeed): void {
    feed.close();
    this.#feeds.delete(channel);
    this.#deps.link.subscriptions.remove(this.#redisChannel(channel));
  }

  /** The firehose needs no hash tag, because it has no keys that would have to share its slot. */
  #redisChannel(channel: string): string {
    const { prefix } = this.#deps;
    return channel === FIREHOSE ? `${prefix}firehose` : `${prefix}{${channel}}`;
  }
}
