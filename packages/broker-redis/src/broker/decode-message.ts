import { isUtf8 } from 'node:buffer';
import { type EventOptions, Publication, type Telemetry } from '@leque/core';
import {
  describeProblems,
  type Event,
  type EventRules,
  FIREHOSE,
  type Payload,
  type Position,
  tryDecodePayload,
  tryParseChannel,
  tryParseEvent,
} from '@leque/protocol';

/** A publication, or why there is none; a dropped one may have had a position in its channel. */
export type Decoded =
  | { readonly publication: Publication }
  | { readonly problem: string; readonly position?: Position | undefined };

/** The text of an event may be that much larger than the event, as over HTTP. */
const SENT_PER_STORED = 2;
/** Types whose events by PUBLISH are reported because they do not fit their schema. */
const MAX_MISFITS = 100;

/** Decodes the messages of all channels of one node. */
export class MessageDecoder {
  readonly #rules: EventRules;
  readonly #maxBytes: number;
  readonly #telemetry: Telemetry;
  readonly #misfits = new Set<string>();

  constructor({ schemas, maxBytes }: EventOptions, telemetry: Telemetry) {
    this.#maxBytes = maxBytes;
    this.#rules = { unaddressed: 'refuse', schemas };
    this.#telemetry = telemetry;
  }

  /**
   * Decodes a message of a channel's Redis channel. It is a publication of Leque, or the bare event of
   * another service that used PUBLISH, which is live only and does not reach the firehose. Nodes send the
   * bytes on, so they are checked here, once for all sessions: a text frame that is not UTF-8 would close
   * the connection of every client.
   * @param epoch the epoch of the message before. An equal epoch is replaced by it, because every
   *   session compares epochs, and strings that are the same object compare by their address.
   */
  decode(channel: string, payload: Buffer, epoch?: string): Decoded {
    if (!isUtf8(payload))
      return { problem: 'not UTF-8', position: tryDecodePayload(payload)?.position };
    const decoded = tryDecodePayload(payload);
    if (decoded === undefined) return this.#readForeign(channel, payload);
    if (!isJson(decoded.body)) return { problem: 'not JSON', position: decoded.position };
    if (channel === FIREHOSE) return readRepeated(decoded);
    const { type, body: json } = decoded;
    const position =
      epoch !== undefined && decoded.position?.epoch === epoch
        ? { epoch, offset: decoded.position.offset }
        : decoded.position;
    const publication = new Publication({ channel, type, position, json });
    if (decoded.after !== undefined) publication.after = decoded.after;
    return { publication };
  }

  #readForeign(channel: string, payload: Buffer): Decoded {
    if (payload.length > SENT_PER_STORED * this.#maxBytes) return this.#tooLarge();
    const text = payload.toString();
    const sent = tryParseObject(text);
    if (sent === undefined) return { problem: 'not a JSON object' };
    // The Redis channel decides where the event goes, whatever the event itself says.
    const parsed = tryParseEvent({ ...sent, channel }, this.#rules, { text, parsed: sent });
    if (!parsed.ok) return { problem: describeProblems(parsed.problems) };
    if (Buffer.byteLength(parsed.event.json) > this.#maxBytes) return this.#tooLarge();
    this.#noteMisfit(parsed.event);
    const { type, json } = parsed.event;
    return { publication: new Publication({ channel, type, position: undefined, json }) };
  }

  #tooLarge(): Decoded {
    return { problem: `larger than ${this.#maxBytes} bytes (MAX_EVENT_SIZE)` };
  }

  /** Once for each type, because the same service sends it again and again, and gets no answer. */
  #noteMisfit({ type: eventType, warnings }: Event): void {
    if (warnings === undefined || this.#misfits.has(eventType)) return;
    if (this.#misfits.size >= MAX_MISFITS) return;
    this.#misfits.add(eventType);
    const detail = describeProblems(warnings);
    this.#telemetry.report({ type: 'event_misfit', eventType, detail });
  }
}

/** The firehose repeats what is stored in the channels of projects. */
function readRepeated({ channel: origin, type, position, body: json }: Payload): Decoded {
  if (tryParseChannel(origin)?.kind !== 'project')
    return { problem: 'a publication in the firehose names no project' };
  const options = { channel: FIREHOSE, origin, originPosition: position, type, json };
  return { publication: new Publication({ ...options, position: undefined }) };
}

/** Syntax is ASCII, so the bytes are read as Latin-1, which is faster than decoding UTF-8. */
function isJson(body: Uint8Array): boolean {
  const { buffer, byteOffset, byteLength } = body;
  return isJsonObject(Buffer.from(buffer, byteOffset, byteLength).toString('latin1'));
}

export function isJsonObject(text: string): boolean {
  return tryParseObject(text) !== undefined;
}

function tryParseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
