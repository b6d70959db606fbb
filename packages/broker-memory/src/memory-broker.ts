import type { Broker, BrokerSink, HistoryExtent, HistoryPage, Published } from '@leque/core';
import {
  type Event,
  type EventForEach,
  eventIn,
  type Position,
  ProtocolError,
} from '@leque/protocol';
import type { MemoryStore, Receive } from './memory-store.ts';

/** The broker of one node, on a store that all nodes of this process share. */
export class MemoryBroker implements Broker {
  readonly #store: MemoryStore;
  readonly #subscribed = new Set<string>();
  readonly #receive: Receive = (publication) => this.#sink?.deliver(publication);
  #sink: BrokerSink | undefined;
  #closed = false;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  async start(sink: BrokerSink): Promise<void> {
    this.#sink = sink;
  }

  async subscribe(channel: string): Promise<Position | undefined> {
    this.#assertOpen();
    this.#subscribed.add(channel);
    this.#store.subscribe(channel, this.#receive);
    return this.#store.position(channel);
  }

  async unsubscribe(channel: string): Promise<void> {
    this.#subscribed.delete(channel);
    this.#store.unsubscribe(channel, this.#receive);
  }

  async publish(event: Event): Promise<Published> {
    this.#assertOpen();
    return this.#store.append(event);
  }

  publishToEach(event: EventForEach): readonly Promise<Published>[] {
    return event.channels.map((channel) => this.publish(eventIn(event, channel)));
  }

  async history(
    channel: string,
    after: Position | undefined,
    extent: HistoryExtent,
  ): Promise<HistoryPage> {
    this.#assertOpen();
    return this.#store.history(channel, after, extent);
  }

  async pageAfter(channel: string, after: Position, extent: HistoryExtent): Promise<HistoryPage> {
    this.#assertOpen();
    return this.#store.pageAfter(channel, after, extent);
  }

  async top(channel: string): Promise<Position | undefined> {
    this.#assertOpen();
    return this.#store.position(channel);
  }

  health(): { ok: true } | { ok: false; reason: string } {
    return this.#closed ? { ok: false, reason: 'the broker is closed' } : { ok: true };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const channel of this.#subscribed) this.#store.unsubscribe(channel, this.#receive);
    this.#subscribed.clear();
  }

  #assertOpen(): void {
    if (this.#closed) throw new ProtocolError('unavailable', 'the broker is closed');
  }
}
