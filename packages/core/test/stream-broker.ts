import { FIREHOSE, type Position } from '@leque/protocol';
import { FakeBroker } from '@leque/testkit/fakes';
import type { BrokerSink, HistoryPage } from '../src/ports/broker.ts';
import { Publication } from '../src/publication/publication.ts';

/** A broker that keeps everything: event N of a channel is at offset N, and its type is `CHANNEL N`. */
export class StreamBroker extends FakeBroker {
  sink: BrokerSink | undefined;
  readonly #tops = new Map<string, number>();

  topOf(channel: string): number {
    return this.#tops.get(channel) ?? 0;
  }

  publishNext(channel: string): void {
    const offset = this.topOf(channel) + 1;
    this.#tops.set(channel, offset);
    const { position, ...init } = eventAt(channel, offset);
    if (this.subscribed.has(channel)) this.sink?.deliver(new Publication({ ...init, position }));
    if (!this.subscribed.has(FIREHOSE)) return;
    const copy = { channel: FIREHOSE, origin: channel, originPosition: position };
    this.sink?.deliver(new Publication({ ...init, ...copy, position: undefined }));
  }

  override async subscribe(channel: string): Promise<Position | undefined> {
    this.subscribed.add(channel);
    return channel === FIREHOSE ? undefined : at(this.topOf(channel));
  }

  override async history(channel: string, after: Position | undefined): Promise<HistoryPage> {
    const first = (after?.offset ?? 0) + 1;
    const length = Math.max(0, this.topOf(channel) - first + 1);
    const publications = Array.from(
      { length },
      (_, index) => new Publication(eventAt(channel, first + index)),
    );
    return { position: at(this.topOf(channel)), publications, complete: true };
  }
}

function at(offset: number): Position {
  return { epoch: 'e', offset };
}

function eventAt(channel: string, offset: number) {
  return { channel, type: `${channel} ${offset}`, position: at(offset), json: '{"n":1}' };
}
