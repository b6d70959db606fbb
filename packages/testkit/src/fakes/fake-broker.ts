import type { Broker, HistoryExtent, HistoryPage, Published } from '@leque/core';
import { type Event, type EventForEach, eventIn, type Position } from '@leque/protocol';

/** A broker whose answers are set by the test. */
export class FakeBroker implements Broker {
  readonly subscribed = new Set<string>();
  readonly unsubscribed: string[] = [];
  /** Arguments of all `history` calls. */
  readonly historyReads: ({ channel: string } & HistoryExtent)[] = [];
  /** Answer of `subscribe` and `top`; the test may set a promise. */
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

  publishToEach(event: EventForEach): readonly Promise<Published>[] {
    return event.channels.map((channel) => this.publish(eventIn(event, channel)));
  }

  async history(
    channel: string,
    _: Position | undefined,
    extent: HistoryExtent,
  ): Promise<HistoryPage> {
    this.historyReads.push({ channel, ...extent });
    return this.page;
  }

  async pageAfter(channel: string, _: Position, extent: HistoryExtent): Promise<HistoryPage> {
    this.historyReads.push({ channel, ...extent });
    return this.page;
  }

  async top(): Promise<Position | undefined> {
    return this.position;
  }

  health(): { ok: true } {
    return { ok: true };
  }

  async close(): Promise<void> {}
}
