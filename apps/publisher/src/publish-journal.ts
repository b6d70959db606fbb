import {
  type Clock,
  type Control,
  type JournalLimits,
  type Published,
  RecentMap,
} from '@leque/core';
import { type Cursor, type Event, toCursor } from '@leque/protocol';

export const PUBLISHED_QUESTION = 'trace published';

/** Who published an event when, and where to; in the words of the API. */
export interface PublishedTrace {
  readonly channel: string;
  readonly type: string;
  readonly cursor: Cursor;
  /** RFC 3339; when it had been stored. */
  readonly at: string;
  readonly by: string;
}

/** Remembers for a while what this process has published. */
export class PublishJournal {
  readonly #clock: Clock;
  readonly #published: RecentMap<PublishedTrace> | undefined;

  constructor(clock: Clock, limits: JournalLimits) {
    this.#clock = clock;
    this.#published = limits.entries > 0 ? new RecentMap(clock, limits) : undefined;
  }

  /** What is live only is not remembered: nobody was promised it. */
  note({ channel, type, messageId }: Event, { position }: Published, caller: string): void {
    if (position === undefined) return;
    this.#published?.set(messageId, {
      channel,
      type,
      cursor: toCursor(position),
      at: new Date(this.#clock.now()).toISOString(),
      by: caller,
    });
  }

  answerTraces(control: Control): void {
    control.answer(PUBLISHED_QUESTION, (messageId) => {
      const published = this.#published?.get(String(messageId));
      return published === undefined ? undefined : { ...published };
    });
  }
}
