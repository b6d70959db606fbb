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

/** An offer whose client may be unable to read frames that were deflated for the others. */
const OTHER_WINDOW = /server_max_window_bits(?!="?15"?\s*(;|$))/;

/**
 * The options that `ws` negotiates. Because no compression context lasts from one message to the
 * next, one compressed frame fits every client.
 */
export const DEFLATE_OPTIONS: PerMessageDeflateOptions = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
};

/**
 * Removes offers of a smaller window, so that these clients are served without compression; `ws`
 * would answer them with 400.
 */
export function declineSmallWindows(headers: IncomingHttpHeaders): void {
  const name = 'sec-websocket-extensions';
  const offers = headers[name]?.split(',').filter((offer) => !OTHER_WINDOW.test(offer));
  if (offers !== undefined) headers[name] = offers.join(',') || undefined;
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
};

function deflate(payload: Buffer): Frame {
  const flushed = deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH });
  const compressed = flushed.subarray(0, flushed.length - FLUSH_TAIL_BYTES);
  const frame = allocateTextFrame(compressed.length);
  frame[0] = (frame[0] ?? 0) | RSV1;
  compressed.copy(frame, frame.length - compressed.length);
  return frame;
}
