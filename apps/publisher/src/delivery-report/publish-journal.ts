import {
  ChannelRecords,
  type Clock,
  type Control,
  controlKind,
  type JournalOptions,
  type Published,
} from '@leque/core';
import { type Event, type Position, PublishRecord, toCursor } from '@leque/protocol';
import { Type } from 'typebox';

/** Requests the publications of a message id from every publisher. */
export const PUBLISH_RECORDS = controlKind(
  'trace published',
  Type.String(),
  Type.Array(PublishRecord),
);

interface Entry {
  readonly channel: string;
  readonly type: string;
  readonly position: Position;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly caller: string;
}

export interface PublishFacts {
  /** Who published, in words. */
  readonly caller: string;
  /** Milliseconds that storing took. */
  readonly tookMs: number;
}

/** Remembers for a while which events this process has published. */
export class PublishJournal {
  readonly #clock: Clock;
  readonly #entries: ChannelRecords<Entry> | undefined;

  constructor(clock: Clock, limits: JournalOptions) {
    this.#clock = clock;
    this.#entries = limits.entries > 0 ? new ChannelRecords(clock, limits) : undefined;
  }

  /** Notes a stored event. Events without a position are live only, and are not remembered. */
  note(
    { channel, type, messageId }: Event,
    { position }: Published,
    { caller, tookMs }: PublishFacts,
  ): void {
    if (position === undefined) return;
    // The start of storing: no gateway can have received the event before it.
    const at = this.#clock.now() - tookMs;
    this.#entries?.set(messageId, { channel, type, position, at, caller });
  }

  /** Lets operators request the records of this process. */
  register(control: Control): void {
    control.handle(PUBLISH_RECORDS, (messageId) => {
      const entries = this.#entries?.find(messageId) ?? [];
      return entries.length === 0 ? undefined : entries.map(recordOf);
    });
  }
}

function recordOf({ channel, type, position, at, caller: by }: Entry): PublishRecord {
  return { channel, type, cursor: toCursor(position), at: new Date(at).toISOString(), by };
}
