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
      'publications that each process remembers for `leque trace`, about 500 bytes each; ' +
      '0 turns it off',
  }),
  TRACE_JOURNAL_TTL: Type.Integer({
    default: 900,
    minimum: 1,
    maximum: 86_400,
    description: 'seconds for which publications are remembered for `leque trace`',
  }),
});
export type JournalSettings = Static<typeof JournalSettings>;

export function journalOptions(settings: JournalSettings): JournalOptions {
  return { entries: settings.TRACE_JOURNAL_SIZE, ttlMs: settings.TRACE_JOURNAL_TTL * 1000 };
}

/** The fate of one publication in one channel of this node, or in the firehose. */
export interface DeliveryRecord {
  readonly channel: string;
  /** Position in the channel in which it was published. */
  readonly position: Publication['position'];
  /** When it came the first time, live or recovered, in milliseconds since the Unix epoch. */
  readonly receivedAt: number;
  readonly live: Readonly<Deliveries>;
  /** Sessions that got it from the history; undefined for none. */
  readonly recovered: Readonly<Deliveries> | undefined;
  /** Clients that were closed as slow consumers before they had read it. */
  readonly unread: number;
}

interface Entry extends DeliveryRecord {
  readonly live: Deliveries;
  recovered: Deliveries | undefined;
}

/** A client that was closed as a slow consumer. */
interface SlowClose {
  readonly channel: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  /** Delivered bytes of the channel that the client has certainly read. */
  readonly fromBytes: number;
  /** Delivered bytes of the channel when it was closed. */
  readonly toBytes: number;
}

/** Slow-consumer closes remembered. */
const MAX_SLOW_CLOSES = 1_000;

/**
 * Remembers for a while what became of publications on this node, those of `logs` left out: they are
 * many, and nobody looks for one.
 */
export class DeliveryJournal {
  readonly #clock: Clock;
  readonly #entries: ChannelRecords<Entry>;
  readonly #slowCloses: SlowClose[] = [];

  constructor(clock: Clock, limits: JournalOptions) {
    this.#clock = clock;
    this.#entries = new ChannelRecords(clock, limits);
  }

  /** Starts to count the deliveries of a live publication. */
  note(publication: Publication): void {
    publication.deliveries = this.#entryOf(publication)?.live;
  }

  /** Starts to count the deliveries of publications that were read from the history. */
  noteRecovered(publications: readonly Publication[]): void {
    for (const publication of publications) {
      if (publication.deliveries !== undefined) continue; // also read for another session
      const entry = this.#entryOf(publication);
      if (entry !== undefined) publication.deliveries = entry.recovered ??= newDeliveries();
    }
  }

  /**
   * Remembers that a slow client was closed, which may not have read the last `unreadBytes` of the
   * channel's delivered bytes.
   */
  noteSlow(channel: string, deliveredBytes: number, unreadBytes: number): void {
    const fromBytes = deliveredBytes - unreadBytes;
    this.#slowCloses.push({ channel, at: this.#clock.now(), fromBytes, toBytes: deliveredBytes });
    if (this.#slowCloses.length > MAX_SLOW_CLOSES) this.#slowCloses.shift();
  }

  /** One record for each channel that brought the message to this node, for the newest channels. */
  find(messageId: string): readonly DeliveryRecord[] {
    return this.#entries
      .find(messageId)
      .map((entry) => ({ ...entry, unread: this.#unreadOf(entry) }));
  }

  #entryOf(publication: Publication): Entry | undefined {
    const { channel, position = publication.originPosition } = publication;
    const isTraced = position !== undefined || publication.isLive;
    const id = isTraced ? messageIdOf(publication) : undefined;
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

  /** Counts the slow closes whose unread bytes contain the end of this publication. */
  #unreadOf({ channel, receivedAt, live: { endsAtBytes } }: Entry): number {
    if (endsAtBytes === 0) return 0;
    return this.#slowCloses.filter(
      (close) =>
        close.channel === channel &&
        close.at >= receivedAt && // byte counts start at 0 again when a channel is entered again
        endsAtBytes > close.fromBytes &&
        endsAtBytes <= close.toBytes,
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
