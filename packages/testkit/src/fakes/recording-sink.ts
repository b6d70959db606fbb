import type { BrokerSink, Publication } from '@leque/core';
import type { Position } from '@leque/protocol';

export type Received =
  | { readonly kind: 'publication'; readonly publication: Publication }
  | { readonly kind: 'resync'; readonly position: Position | undefined };

/** Records everything that a broker delivers, by channel. */
export class RecordingSink implements BrokerSink {
  readonly #received = new Map<string, Received[]>();
  readonly #epochChanges: { channel: string; position: Position }[] = [];

  deliver(publication: Publication): void {
    this.of(publication.channel).push({ kind: 'publication', publication });
  }

  resync(channel: string, position: Position | undefined): void {
    this.of(channel).push({ kind: 'resync', position });
  }

  epochChanged(channel: string, position: Position): void {
    this.#epochChanges.push({ channel, position });
  }

  epochChanges(channel: string): Position[] {
    return this.#epochChanges.flatMap((each) => (each.channel === channel ? [each.position] : []));
  }

  /** Publications and resyncs of a channel, in order. */
  of(channel: string): Received[] {
    const received = this.#received.get(channel) ?? [];
    this.#received.set(channel, received);
    return received;
  }

  publications(channel: string): Publication[] {
    return this.of(channel).flatMap((each) =>
      each.kind === 'publication' ? [each.publication] : [],
    );
  }

  resyncs(channel: string): (Position | undefined)[] {
    return this.of(channel).flatMap((each) => (each.kind === 'resync' ? [each.position] : []));
  }

  offsets(channel: string): (number | undefined)[] {
    return this.publications(channel).map(({ position }) => position?.offset);
  }

  /** The `data.n` of the events, for tests that number their events. */
  numbers(channel: string): unknown[] {
    return this.publications(channel).map(
      ({ event }) => (event['data'] as { n?: unknown } | undefined)?.n,
    );
  }
}
