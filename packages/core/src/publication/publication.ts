import type { Position } from '@leque/protocol';

/** Bytes that are ready for the wire of one transport; shared between sessions, so never changed. */
export interface Frame {
  readonly byteLength: number;
}

/** How a transport puts what the core has to say on its wire. One instance per wire format. */
export interface FrameFormat {
  /** As in facts. */
  readonly transport: string;
  encodePublication(publication: Publication): Frame;
  /**
   * Several frames of this format, at least two, as one that is written at once; its bytes may lie
   * in `room`, which has enough of it.
   */
  join(frames: readonly Frame[], room: Buffer): Frame;
  /**
   * Tells a client that publications of `channel` were left out; `position` is where it goes on. Up
   * to `until`, if given, more are missing between those that follow.
   */
  encodeResync(channel: string, position: Position | undefined, until?: Position): Frame;
}

/** What became of a publication at the sessions that were to get it; counted up as it happens. */
export interface Deliveries {
  /** Subscribed when it came. Those that are counted nowhere else still wait for it. */
  sessions: number;
  /** Handed to their sockets, or about to be. */
  written: number;
  /** Had asked for others only. */
  filtered: number;
  /** Were closed as slow consumers instead. */
  slow: number;
  /** Were being closed anyway. */
  closing: number;
  /** Read slowly and got a newer one of the same key instead. */
  conflated: number;
  /** Read slowly, and there was no room for it. */
  dropped: number;
  /** Bytes that the channel had delivered on this node with it; 0 before. */
  endsAtBytes: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** One event in a channel, with its position; encoded at most once per wire format. */
export class Publication {
  /** The channel whose subscribers get it. */
  readonly channel: string;
  /** The channel that clients are shown; another one only for what the firehose repeats. */
  readonly origin: string;
  readonly type: string;
  /** Undefined for what is live only. */
  readonly position: Position | undefined;
  /** The event's JSON, an object, as UTF-8. */
  readonly body: Uint8Array;
  /** Where it stands in `origin`; only for what the firehose repeats. */
  readonly originPosition: Position | undefined;
  /** Undefined unless somebody counts. */
  deliveries: Deliveries | undefined = undefined;
  #event: Record<string, unknown> | undefined;
  readonly #frames = new Map<FrameFormat, Frame>();

  constructor(
    init: Pick<Publication, 'channel' | 'type' | 'position'> & {
      /** As text, or as the UTF-8 that came over the network. */
      json: string | Uint8Array;
      origin?: string;
      originPosition?: Position | undefined;
    },
  ) {
    this.channel = init.channel;
    this.origin = init.origin ?? init.channel;
    this.type = init.type;
    this.position = init.position;
    this.body = typeof init.json === 'string' ? encoder.encode(init.json) : init.json;
    this.originPosition = init.originPosition;
  }

  /** `body` as text. */
  get json(): string {
    return decoder.decode(this.body);
  }

  /**
   * The event as an object, parsed at most once; do not change it. Empty when its JSON is broken:
   * only a payload that somebody forged is, and it must not stop the node.
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
