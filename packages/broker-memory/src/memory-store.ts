import {
  type Clock,
  type HistoryExtent,
  type HistoryOptions,
  type HistoryPage,
  historyLimitOf,
  Publication,
  type Published,
  systemClock,
} from '@leque/core';
import { type Event, FIREHOSE, type Position, tryParseChannel } from '@leque/protocol';
import { MemoryChannel } from './memory-channel.ts';

export type Receive = (publication: Publication) => void;

const SWEEP_MS = 1000;
/** Channels whose epoch is remembered; above it the least recently used channels lose theirs. */
const MAX_IDLE_CHANNELS = 50_000;

/** Logs and receivers of all channels, which the nodes of one process share in place of Redis. */
export class MemoryStore {
  readonly #limits: HistoryOptions;
  readonly #clock: Clock;
  readonly #channels = new Map<string, MemoryChannel>();
  readonly #receivers = new Map<string, Set<Receive>>();
  #sweptAt = 0;
  #storedAt = 0;

  constructor(limits: HistoryOptions, clock: Clock = systemClock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Stores and sends an event, at most once per idempotency key; one that is live only is sent. */
  append(event: Event): Published {
    const now = this.#clock.now();
    this.#sweep(now);
    if (event.live) return this.#passOn(event);
    const channel = this.#channel(event.channel);
    const key = event.idempotencyKey;
    const earlier = channel.recall(key);
    if (earlier !== undefined) return earlier;
    // Microseconds, each for one event, so that all of them have an order.
    this.#storedAt = Math.max(this.#storedAt + 1, now * 1000);
    const publication = channel.append(event, now, this.#storedAt);
    const { position } = publication;
    const published = { messageId: event.messageId, position, duplicate: false };
    if (key !== undefined) {
      channel.remember(key, published, now + this.#limits.idempotencyTtlMs);
    }
    this.#send(publication);
    this.#repeat(publication);
    return published;
  }

  position(channel: string): Position | undefined {
    const now = this.#clock.now();
    this.#sweep(now);
    const kept = this.#channel(channel);
    kept.touch(now);
    return kept.position;
  }

  history(channel: string, after: Position | undefined, extent: HistoryExtent): HistoryPage {
    const kept = this.#channels.get(channel);
    if (kept === undefined) {
      const position = this.position(channel);
      return { position, publications: [], complete: after === undefined };
    }
    kept.expire(this.#clock.now());
    return kept.page(after, extent);
  }

  pageAfter(channel: string, after: Position, extent: HistoryExtent): HistoryPage {
    const kept = this.#channels.get(channel);
    if (kept === undefined) return { position: undefined, publications: [], complete: false };
    kept.expire(this.#clock.now());
    return kept.pageAfter(after, extent);
  }

  subscribe(channel: string, receive: Receive): void {
    const receivers = this.#receivers.get(channel) ?? new Set();
    this.#receivers.set(channel, receivers.add(receive));
  }

  unsubscribe(channel: string, receive: Receive): void {
    const receivers = this.#receivers.get(channel);
    receivers?.delete(receive);
    if (receivers?.size === 0) this.#receivers.delete(channel);
  }

  #passOn({ channel, type, json, messageId }: Event): Published {
    const publication = new Publication({ channel, type, position: undefined, json });
    this.#send(publication);
    this.#repeat(publication);
    return { messageId, position: undefined, duplicate: false };
  }

  /** Moves a channel that is used to the end, so that idle channels come first. */
  #channel(name: string): MemoryChannel {
    const channel =
      this.#channels.get(name) ?? new MemoryChannel(name, historyLimitOf(this.#limits, name));
    this.#channels.delete(name);
    this.#channels.set(name, channel);
    return channel;
  }

  /** Delivers later, like a network, in the order of publishing, to the nodes subscribed now. */
  #send(publication: Publication): void {
    const current = this.#receivers.get(publication.channel);
    if (current === undefined) return;
    const receivers = [...current];
    queueMicrotask(() => {
      for (const receive of receivers) if (current.has(receive)) receive(publication);
    });
  }

  #repeat({ channel: origin, position: originPosition, type, body: json }: Publication): void {
    if (!this.#limits.firehose || tryParseChannel(origin)?.kind !== 'project') return;
    if (!this.#receivers.has(FIREHOSE)) return;
    const init = { channel: FIREHOSE, origin, originPosition, type, json };
    this.#send(new Publication({ ...init, position: undefined }));
  }

  /** Runs at most once a second and only on use, because an idle store does not grow. */
  #sweep(now: number): void {
    if (now - this.#sweptAt < SWEEP_MS) return;
    this.#sweptAt = now;
    let surplus = this.#channels.size - MAX_IDLE_CHANNELS;
    for (const [name, channel] of this.#channels) {
      const expired = channel.expire(now);
      if (this.#receivers.has(name)) continue;
      if (!expired && !(surplus > 0 && channel.isEmpty)) continue;
      this.#channels.delete(name);
      surplus -= 1;
    }
  }
}
