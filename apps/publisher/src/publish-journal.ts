import {
  ChannelRecords,
  type Clock,
  type Control,
  type JournalOptions,
  type Published,
} from '@leque/core';
import { type Cursor, type Event, type Position, toCursor } from '@leque/protocol';

export const PUBLISHED_QUESTION = 'trace published';

/** Who published an event when, and where to; in the words of the API. */
export interface PublishedTrace {
  readonly channel: string;
  readonly type: string;
  readonly cursor: Cursor;
  /** RFC 3339; when the publisher began to store it, so before any gateway had it. */
  readonly at: string;
  readonly by: string;
}

interface Stored {
  readonly channel: string;
  readonly type: string;
  readonly position: Position;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly caller: string;
}

export interface Publish {
  readonly caller: string;
  /** How long storing it took. */
  readonly tookMs: number;
}

/** Remembers for a while what this process has published. */
export class PublishJournal {
  readonly #clock: Clock;
  readonly #published: ChannelRecords<Stored> | undefined;

  constructor(clock: Clock, limits: JournalOptions) {
    this.#clock = clock;
    this.#published = limits.entries > 0 ? new ChannelRecords(clock, limits) : undefined;
  }

  /** What is live only is not remembered: nobody was promised it. */
  note(
    { channel, type, messageId }: Event,
    { position }: Published,
    { caller, tookMs }: Publish,
  ): void {
    if (position === undefined) return;
    const at = this.#clock.now() - tookMs;
    this.#published?.set(messageId, { channel, type, position, at, caller });
  }

  answerTraces(control: Control): void {
    control.answer(PUBLISHED_QUESTION, (messageId) => {
      const stored = this.#published?.find(String(messageId)) ?? [];
      return stored.length === 0 ? undefined : stored.map((each) => ({ ...traceOf(each) }));
    });
  }
}

function traceOf({ channel, type, position, at, caller: by }: Stored): PublishedTrace {
  return { channel, type, cursor: toCursor(position), at: new Date(at).toISOString(), by };
}
