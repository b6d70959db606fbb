import { type Static, Type } from 'typebox';
import type { Clock } from '../lib/clock.ts';
import { messageIdOf } from '../publication/message-id.ts';
import type { Deliveries, Publication } from '../publication/publication.ts';
import { ChannelRecords, type JournalOptions } from './channel-records.ts';

/** Configures the memory of each process for what became of its publications. */
export const JournalSettings = Type.Object({
  TRACE_JOURNAL_SIZE: Type.Integer({
    default: 20_000,
    minimum: 0,
    maximum: 1_000_000,
    description:
      'stored publications that this process remembers for `leque trace`, about 500 bytes each; ' +
      '0 for none',
  }),
  TRACE_JOURNAL_TTL: Type.Integer({
    default: 900,
    minimum: 1,
    maximum: 86_400,
    description: 'seconds for which they are remembered',
  }),
});
export type JournalSettings = Static<typeof JournalSettings>;

export function journalOptions(settings: JournalSettings): JournalOptions {
  return { entries: settings.TRACE_JOURNAL_SIZE, ttlMs: settings.TRACE_JOURNAL_TTL * 1000 };
}

/** What became of one publication in one channel of this node; the firehose is a channel, too. */
export interface DeliveryRecord {
  readonly channel: string;
  /** Where it stands in its own channel. */
  readonly position: Publication['position'];
  /** Milliseconds since the Unix epoch; when it came the first time, live or recovered. */
  readonly receivedAt: number;
  readonly live: Readonly<Deliveries>;
  /** Those who came back, or came late, and got it from the history. */
  readonly recovered: Readonly<Deliveries> | undefined;
  /** Clients that were closed as slow consumers before they had read it. */
  readonly unread: number;
}

interface Entry extends DeliveryRecord {
  readonly live: Deliveries;
  recovered: Deliveries | undefined;
}

/** A client that was closed as a slow consumer. */
interface Cut {
  readonly channel: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  /** Delivered bytes of the channel that it may have read. */
  readonly fromBytes: number;
  /** Delivered bytes of the channel when it was closed. */
  readonly toBytes: number;
}

/** Of the newest clients that were too slow. */
const MAX_CUTS = 1_000;

/**
 * Remembers for a while what became of publications on this node. Only of those that are stored:
 * what is live only has been promised to nobody.
 */
export class DeliveryJournal {
  readonly #clock: Clock;
  readonly #entries: ChannelRecords<Entry>;
  readonly #cuts: Cut[] = [];

  constructor(clock: Clock, limits: JournalOptions) {
    this.#clock = clock;
    this.#entries = new ChannelRecords(clock, limits);
  }

  /** From now on its deliveries are counted. */
  note(publication: Publication): void {
    publication.deliveries = this.#entryOf(publication)?.live;
  }

  /** The same of what is read from the history. */
  noteRecovered(publications: readonly Publication[]): void {
    for (const publication of publications) {
      if (publication.deliveries !== undefined) continue; // read for another one, too
      const entry = this.#entryOf(publication);
      if (entry !== undefined) publication.deliveries = entry.recovered ??= newDeliveries();
    }
  }

  /** A client was too slow: `unreadBytes` of what the channel had delivered it may not have read. */
  noteSlow(channel: string, deliveredBytes: number, unreadBytes: number): void {
    const fromBytes = deliveredBytes - unreadBytes;
    this.#cuts.push({ channel, at: this.#clock.now(), fromBytes, toBytes: deliveredBytes });
    if (this.#cuts.length > MAX_CUTS) this.#cuts.shift();
  }

  /** Once for each channel of this node that brought it, the newest ones. */
  find(messageId: string): readonly DeliveryRecord[] {
    return this.#entries
      .find(messageId)
      .map((entry) => ({ ...entry, unread: this.#unreadOf(entry) }));
  }

  #entryOf(publication: Publication): Entry | undefined {
    const { channel, position = publication.originPosition } = publication;
    const id = position === undefined ? undefined : messageIdOf(publication);
    if (id === undefined) return undefined;
    const known = this.#entries.findIn(channel, id);
    if (known !== undefined) return known;
    const entry: Entry = {
      channel,
      position,
      receivedAt: this.#clock.now(),
      live: newDeliveries(),
      recovered: undefined,
      unread: 0,
    };
    this.#entries.set(id, entry);
    return entry;
  }

  /** Its end lies in what the client had been given, and had not read. */
  #unreadOf({ channel, receivedAt, live: { endsAtBytes } }: Entry): number {
    if (endsAtBytes === 0) return 0;
    return this.#cuts.filter(
      (cut) =>
        cut.channel === channel &&
        cut.at >= receivedAt && // a channel that was left and entered again counts from 0
        endsAtBytes > cut.fromBytes &&
        endsAtBytes <= cut.toBytes,
    ).length;
  }
}

function newDeliveries(): Deliveries {
  return {
    sessions: 0,
    written: 0,
    filtered: 0,
    slow: 0,
    closing: 0,
    conflated: 0,
    dropped: 0,
    endsAtBytes: 0,
  };
}
