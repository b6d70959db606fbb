import { LOGS, type Position } from '@leque/protocol';

/** Bytes in the wire format of one transport. Sessions share them, so they are never changed. */
export interface Frame {
  readonly byteLength: number;
}

/** Encodes publications and resyncs for one wire format. There is one instance per wire format. */
export interface FrameFormat {
  /** The transport's name, as in facts and metrics. */
  readonly transport: string;
  encodePublication(publication: Publication): Frame;
  /**
   * Joins at least two frames of this format into one.
   * @param room memory for the joined frame, large enough; using it is optional
   */
  join(frames: readonly Frame[], room: Buffer): Frame;
  /**
   * Encodes the report that publications of `channel` are missing. The client goes on after
   * `position`; up to `until`, if given, more are missing between the publications that follow.
   */
  encodeResync(channel: string, position: Position | undefined, until?: Position): Frame;
  /** Encodes the report that a slow client did not get this number of live-only publications. */
  encodeDropped(channel: string, dropped: number): Frame;
}

/** Counts the sessions that a publication was for, by what became of it. */
export interface Deliveries {
  /**
   * Sessions that were subscribed when it came. Sessions counted nowhere else still wait for it.
   */
  sessions: number;
  /** Sent to the session's outbox. */
  written: number;
  /** Excluded by the subscription's filter. */
  filtered: number;
  /** Not sent, because the session is closed as a slow consumer. */
  slow: number;
  /** Not sent, because the session was closing for another reason. */
  closing: number;
  /** Replaced by a newer publication of the same key for a slow client. */
  conflated: number;
  /** Dropped for a slow client, because there was no room. */
  dropped: number;
  /** Bytes delivered in the channel on this node up to its end; 0 before it is delivered. */
  endsAtBytes: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** One event in a channel, with its position; encoded at most once per wire format. */
export class Publication {
  /** The channel in which it is delivered. */
  readonly channel: string;
  /** The channel in which it was published; differs from `channel` only in the firehose. */
  readonly origin: string;
  readonly type: string;
  /** Undefined for a live-only publication, and in a channel without history. */
  readonly position: Position | undefined;
  /** The event's JSON, an object, as UTF-8. */
  readonly body: Uint8Array;
  /** The position in `origin`, for a publication of the firehose. */
  readonly originPosition: Position | undefined;
  /**
   * For a live-only publication, where its channel stood when it was published, or, where that is
   * unknown, on this node when it arrived. A client that has seen more has left it behind.
   */
  after: Position | undefined = undefined;
  /**
   * When it was stored, in microseconds since the Unix epoch by the clock of the store; undefined unless it
   * was read from a history.
   */
  readonly storedAt: number | undefined;
  /** Undefined unless a journal counts deliveries. */
  deliveries: Deliveries | undefined = undefined;
  #event: Record<string, unknown> | undefined;
  readonly #frames = new Map<FrameFormat, Frame>();

  constructor(
    init: Pick<Publication, 'channel' | 'type' | 'position'> & {
      /** Text, or UTF-8 as it came over the network. */
      json: string | Uint8Array;
      origin?: string;
      originPosition?: Position | undefined;
      storedAt?: number | undefined;
    },
  ) {
    this.channel = init.channel;
    this.origin = init.origin ?? init.channel;
    this.type = init.type;
    this.position = init.position;
    this.body = typeof init.json === 'string' ? encoder.encode(init.json) : init.json;
    this.originPosition = init.originPosition;
    this.storedAt = init.storedAt;
  }

  /**
   * Whether it is live only although its channel keeps a history: nobody recovers it, and slow clients
   * do without it.
   */
  get isLive(): boolean {
    return this.position === undefined && this.originPosition === undefined && this.origin !== LOGS;
  }

  /** `body` as text. */
  get json(): string {
    return decoder.decode(this.body);
  }

  /**
   * The event as an object, parsed at most once; do not change it. Empty when its JSON is invalid,
   * which happens only with forged payloads and must not stop the node.
   */
  get event(): Readonly<Record<string, unknown>> {
    this.#event ??= parseObject(this.json);
    return this.#event;
  }

  frameIn(format: FrameFormat): Frame {
    let frame = this.#frames.get(format);
    if (frame === undefined) {
      frame = format.encodePublication(this);
      this.#frames.set(format, frame);
    }
    return frame;
  }
}

function parseObject(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
