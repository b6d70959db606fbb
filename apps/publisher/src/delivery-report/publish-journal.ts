import {
  type Clock,
  type Control,
  controlKind,
  type JournalOptions,
  type Published,
} from '@leque/core';
import { type Event, LOGS, type Position, PublishRecord, toCursor } from '@leque/protocol';
import { Type } from 'typebox';

/** Requests the publications of a message id from every publisher. */
export const PUBLISH_RECORDS = controlKind(
  'trace published',
  Type.String(),
  Type.Array(PublishRecord),
);

/** A publisher may give the same id to everything that it publishes, so an answer needs a bound. */
const MAX_CHANNELS = 16;

interface Entry {
  readonly messageId: string;
  readonly channel: string;
  readonly type: string;
  /** Undefined for an event that is live only. */
  readonly position: Position | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  /** Time of the monotonic clock, in milliseconds, until which it is remembered. */
  readonly until: number;
  readonly caller: string;
}

export interface PublishFacts {
  /** Who published, in words. */
  readonly caller: string;
  /** Milliseconds that storing took. */
  readonly tookMs: number;
}

/**
 * Remembers for a while which events this process has published. The ring has no index, because each
 * publish adds an entry, and only operators look for one. A full ring writes into its oldest entry: V8
 * allocates objects that always survive in the old generation, where the garbage beside them stays until
 * the next full collection. In every second process that cost a third of the throughput.
 */
export class PublishJournal {
  readonly #clock: Clock;
  readonly #limits: JournalOptions;
  readonly #ring: Entry[] = [];
  /** Index of the next entry; once the ring is full, the oldest entry is there. */
  #next = 0;

  constructor(clock: Clock, limits: JournalOptions) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Notes a published event. Those of `logs` are not remembered. */
  note(
    { channel, type, messageId }: Event,
    { position }: Published,
    { caller, tookMs }: PublishFacts,
  ): void {
    const { entries, ttlMs } = this.#limits;
    if (channel === LOGS || entries === 0) return;
    // The start of storing: no gateway can have received the event before it.
    const at = this.#clock.now() - tookMs;
    const until = this.#clock.monotonic() + ttlMs;
    const note = { messageId, channel, type, position, at, until, caller };
    const oldest = this.#ring[this.#next];
    if (oldest === undefined) this.#ring.push(note);
    else Object.assign(oldest, note);
    this.#next = (this.#next + 1) % entries;
  }

  /** The newest publication of the id in each of its `MAX_CHANNELS` newest channels, oldest first. */
  #find(messageId: string): Entry[] {
    const now = this.#clock.monotonic();
    const found = new Map<string, Entry>();
    for (let back = 1; back <= this.#ring.length && found.size < MAX_CHANNELS; back += 1) {
      const entry = this.#ring.at(this.#next - back);
      if (entry?.messageId !== messageId || entry.until < now) continue;
      if (!found.has(entry.channel)) found.set(entry.channel, entry);
    }
    return [...found.values()].reverse();
  }

  /** Lets operators request the records of this process. */
  register(control: Control): void {
    control.handle(PUBLISH_RECORDS, (messageId) => {
      const entries = this.#find(messageId);
      return entries.length === 0 ? undefined : entries.map(recordOf);
    });
  }
}

function recordOf({ channel, type, position, at, caller: by }: Entry): PublishRecord {
  const cursor = position === undefined ? '' : toCursor(position);
  return { channel, type, cursor, at: new Date(at).toISOString(), by };
}
