import { BucketCounts } from '../lib/bucket-counts.ts';

const LATENCY_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const SLICE_S = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];
const MESSAGES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const BYTES = [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304];

/** Of all connections of one transport. */
export interface TransportCounters {
  /** That have asked to be let in, and were neither let in nor refused. */
  opening: number;
  /** Sessions. */
  open: number;
  writes: number;
  /** Handed to the sockets, as frames. */
  bytes: number;
}

/** What was in an outbox when it was flushed. */
export interface Flushed {
  readonly counters: TransportCounters;
  readonly messages: number;
  readonly bytes: number;
  /** With what the kernel had not taken before. */
  readonly queuedBytes: number;
  /** Of the oldest publication, on the monotonic clock; 0 when nobody knows. */
  readonly publishedAtMs: number;
}

/** What a node counts while it fans out, since the start of the process. */
export class FanOutCounters {
  /** That reached this node for its sessions. */
  publications = 0;
  /** That were queued for sessions. */
  messagesSent = 0;
  /** Publications that slow clients did not get, as a newer one of the same key replaced them. */
  conflated = 0;
  /** The same where there was no room for more. */
  dropped = 0;
  /** Channels that clients came back to with a cursor, by what became of it. */
  readonly resumes = { recovered: 0, not_recovered: 0, failed: 0 };
  readonly writeMessages = new BucketCounts(MESSAGES);
  readonly outboxBytes = new BucketCounts(BYTES);
  readonly publishToWriteSeconds = new BucketCounts(LATENCY_S);
  readonly sliceSeconds = new BucketCounts(SLICE_S);
  readonly #transports = new Map<string, TransportCounters>();

  of(transport: string): TransportCounters {
    let counters = this.#transports.get(transport);
    if (counters === undefined) {
      counters = { opening: 0, open: 0, writes: 0, bytes: 0 };
      this.#transports.set(transport, counters);
    }
    return counters;
  }

  get transports(): ReadonlyMap<string, Readonly<TransportCounters>> {
    return this.#transports;
  }

  /** One write to one socket, at `now` on the monotonic clock. */
  wrote({ counters, messages, bytes, queuedBytes, publishedAtMs }: Flushed, now: number): void {
    counters.writes += 1;
    counters.bytes += bytes;
    this.writeMessages.observe(messages);
    this.outboxBytes.observe(queuedBytes);
    if (publishedAtMs === 0) return;
    // Clocks of two machines differ; nothing is written before it is published.
    this.publishToWriteSeconds.observe(Math.max(0, now - publishedAtMs) / 1000);
  }
}
