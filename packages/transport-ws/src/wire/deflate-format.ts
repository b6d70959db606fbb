import type { IncomingHttpHeaders } from 'node:http';
import { constants, deflateRawSync } from 'node:zlib';
import { allocateTextFrame, type Frame, type FrameFormat, textPayload } from '@leque/core';
import type { PerMessageDeflateOptions } from 'ws';
import { TRANSPORT, wsFormat } from './ws-format.ts';

/** Compressing shorter payloads saves less than it costs. */
const MIN_BYTES = 128;
/** The end of a flush, which is not sent (RFC 7692, section 7.2.1). */
const FLUSH_TAIL_BYTES = 4;
const RSV1 = 0x40;

const DEFLATE = 'permessage-deflate';
/**
 * The parameters of offers that are accepted (RFC 7692, section 7.1). A smaller window for the server
 * is not: that client may be unable to read frames that were deflated for the others.
 */
const PARAMETER =
  /^(?:(?:server|client)_no_context_takeover|client_max_window_bits(?:="?(?:[89]|1[0-5])"?)?|server_max_window_bits="?15"?)$/;

/**
 * The options that `ws` negotiates. Because no compression context of this side lasts from one
 * message to the next, one compressed frame fits every client. Whether a client keeps its context is
 * left to its offer: Jetty keeps it although the answer forbids it, and fails with its second message.
 */
export const DEFLATE_OPTIONS: PerMessageDeflateOptions = { serverNoContextTakeover: true };

/**
 * Declines the offers of compression that cannot be accepted (RFC 7692, section 5): the next offer
 * counts, and a client without another one is served without compression. `ws` would answer 400.
 */
export function declineOffers(headers: IncomingHttpHeaders): void {
  const name = 'sec-websocket-extensions';
  const offers = headers[name]?.split(',').map((offer) => offer.trim());
  if (offers !== undefined) headers[name] = offers.filter(isAcceptable).join(', ') || undefined;
}

function isAcceptable(offer: string): boolean {
  const [extension, ...parameters] = offer.split(';').map((part) => part.trim());
  const names = new Set(parameters.map((parameter) => parameter.split('=')[0]));
  const isKnown = parameters.every((parameter) => PARAMETER.test(parameter));
  return extension === DEFLATE && isKnown && names.size === parameters.length;
}

/** Like `wsFormat`, with long publications deflated once for all clients that negotiated it. */
export const deflateFormat: FrameFormat = {
  transport: TRANSPORT,
  encodePublication(publication) {
    const plain = publication.frameIn(wsFormat) as Buffer;
    const payload = textPayload(plain);
    return payload.length < MIN_BYTES ? plain : deflate(payload);
  },
  join: wsFormat.join,
  encodeResync: wsFormat.encodeResync,
  encodeDropped: wsFormat.encodeDropped,
};

function deflate(payload: Buffer): Frame {
  const flushed = deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH });
  const compressed = flushed.subarray(0, flushed.length - FLUSH_TAIL_BYTES);
  const frame = allocateTextFrame(compressed.length);
  frame[0] = (frame[0] ?? 0) | RSV1;
  compressed.copy(frame, frame.length - compressed.length);
  return frame;
}
