import {
  allocateTextFrame,
  encodeTextFrame,
  type Frame,
  type FrameFormat,
  joinBuffers,
} from '@leque/core';
import { encodeEnvelopeEnd, encodeReply, toCursor } from '@leque/protocol';

/** The name of this transport in facts and metrics. */
export const TRANSPORT = 'ws';

/** Finished WebSocket frames with the JSON envelopes of the raw protocol; every frame is a buffer. */
export const wsFormat: FrameFormat = {
  transport: TRANSPORT,
  encodePublication({ origin, position, body }) {
    const end = encodeEnvelopeEnd({ channel: origin, position });
    // The end replaces the event's last brace; channels and cursors are ASCII.
    const kept = body.length - 1;
    const frame = allocateTextFrame(kept + end.length);
    const payloadAt = frame.length - kept - end.length;
    frame.set(body.subarray(0, kept), payloadAt);
    frame.write(end, payloadAt + kept, 'latin1');
    return frame;
  },
  join(frames: readonly Frame[], room: Buffer) {
    return joinBuffers(frames as readonly Buffer[], room);
  },
  encodeResync(channel, position, until) {
    const cursor = position && toCursor(position);
    const data = { channel, cursor, incomplete_until: until && toCursor(until) };
    return encodeTextFrame(encodeReply('resync', data, { channel, cursor }));
  },
  encodeDropped(channel, dropped) {
    return encodeTextFrame(encodeReply('live.dropped', { channel, dropped }, { channel }));
  },
};
