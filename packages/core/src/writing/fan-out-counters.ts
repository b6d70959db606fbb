import { BucketCounts } from '../lib/bucket-counts.ts';

const LATENCY_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const SLICE_S = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];
const MESSAGES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const BYTES = [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304];

/** Counters of all connections of one transport. */
export interface TransportCounters {
  /** Connections that wait for their client to send a whole request, or to join with a token. */
  joining: number;
  /** Handshakes that wait for admission. */
  opening: number;
  /** Open sessions. */
  open: number;
  writes: number;
  /** Bytes of frames written to sockets. */
  bytes: number;
  /** Times that a client began to be held back, because it sent more than its budget. */
  held: number;
}

/** The content of an outbox when it is flushed. */
export interface Flushed {
  readonly counters: TransportCounters;
  readonly messages: number;
  readonly bytes: number;
  /** Bytes queued, held and not yet taken by the kernel. */
  readonly queuedBytes: number;
  /**
   * Publish time of the oldest publication, in milliseconds on the monotonic clock; 0 when unknown.
   */
  readonly publishedAtMs: number;
}

/** Counters of a node's fan-out since the start of the process. */
export class FanOutCounters {
  /** Publications that reached this node for its sessions. */
  publications = 0;
  /** Messages queued for sessions. */
  messagesSent = 0;
  /** Publications not sent to slow clients, because a newer one of the same key replaced them. */
  conflated = 0;
  /** Publications not sent to slow clients, because there was no room. */
  dropped = 0;
  /** Live-only publications not sent to slow clients. */
  liveDropped = 0;
  /** Recoveries of channels by cursor, by outcome. */
  readonly resumes = { recovered: 0, not_recovered: 0, failed: 0 };
  readonly writeMessages = new BucketCounts(MESSAGES);
  readonly outboxBytes = new BucketCounts(BYTES);
  readonly publishToWriteSeconds = new BucketCounts(LATENCY_S);
  readonly sliceSeconds = new BucketCounts(SLICE_S);
  readonly #transports = new Map<string, TransportCounters>();

  of(transport: string): TransportCounters {
    let counters = this.#transports.get(transport);
    if (counters === undefined) {
      counters = { joining: 0, opening: 0, open: 0, writes: 0, bytes: 0, held: 0 };
      this.#transports.set(transport, counters);
    }
    return counters;
  }

  get transports(): ReadonlyMap<string, Readonly<TransportCounters>> {
    return this.#transports;
  }

  /**
   * Counts one write to one socket.
   * @param now in milliseconds on the monotonic clock
   */
  wrote({ counters, messages, bytes, queuedBytes, publishedAtMs }: Flushed, now: number): void {
    counters.writes += 1;
    counters.bytes += bytes;
    this.writeMessages.observe(messages);
    this.outboxBytes.observe(queuedBytes);
    if (publishedAtMs === 0) return;
    // The clocks of two machines differ, so the difference may be negative.
    this.publishToWriteSeconds.observe(Math.max(0, now - publishedAtMs) / 1000);
  }
}
