import type { Broker, HistoryExtent, HistoryPage, Published } from '@leque/core';
import type { Event, Position } from '@leque/protocol';

/** A broker whose answers a test gives, when it wants to. */
export class FakeBroker implements Broker {
  readonly subscribed = new Set<string>();
  readonly unsubscribed: string[] = [];
  /** The histories that were read. */
  readonly asked: ({ channel: string } & HistoryExtent)[] = [];
  /** Where a channel stands when it is subscribed; the test may put a promise here. */
  position: Position | undefined | Promise<Position | undefined>;
  page: HistoryPage | Promise<HistoryPage> = {
    position: undefined,
    publications: [],
    complete: true,
  };

  async start(): Promise<void> {}

  async subscribe(channel: string): Promise<Position | undefined> {
    this.subscribed.add(channel);
    return this.position;
  }

  async unsubscribe(channel: string): Promise<void> {
    this.subscribed.delete(channel);
    this.unsubscribed.push(channel);
  }

  async publish(event: Event): Promise<Published> {
    return { messageId: event.messageId, position: undefined, duplicate: false };
  }

  async history(
    channel: string,
    _: Position | undefined,
    extent: HistoryExtent,
  ): Promise<HistoryPage> {
    this.asked.push({ channel, ...extent });
    return this.page;
  }

  async pageAfter(): Promise<HistoryPage> {
    return this.page;
  }

  health(): { ok: true } {
    return { ok: true };
  }

  async close(): Promise<void> {}
}
